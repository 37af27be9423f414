import { Component, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { RelayEnvironmentProvider } from 'react-relay';
import { CvmList } from './CvmList';
import { createEnvironment } from './environment';

// The demo needs no credential. Otherwise return { Authorization: `Bearer ${token}` } or {
// 'X-API-Key': key }.
const environment = createEnvironment('/graphql', () => ({}));

/** Shows the error code if the first page fails, such as UNAUTHENTICATED. */
class ErrorBoundary extends Component {
  state = {};
  static getDerivedStateFromError(error) {
    return { error };
  }
  render() {
    return this.state.error ? <p role="alert">{this.state.error.code ?? 'NETWORK'}</p> : this.props.children;
  }
}

createRoot(document.getElementById('app')).render(
  <RelayEnvironmentProvider environment={environment}>
    <ErrorBoundary>
      <Suspense fallback="…">
        <CvmList first={20} size={20} />
      </Suspense>
    </ErrorBoundary>
  </RelayEnvironmentProvider>,
);
