import { Component, Suspense, useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';
import { RelayEnvironmentProvider } from 'react-relay';
import { CvmList } from './CvmList';
import { CvmPage } from './CvmPage';
import { createEnvironment } from './environment';

// The demo needs no credential. Otherwise return { Authorization: `Bearer ${token}` } or {
// 'X-API-Key': key }. With the token changing-1 the demo deletes and adds CVMs at each request.
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

const subscribe = (changed) => {
  addEventListener('hashchange', changed);
  return () => removeEventListener('hashchange', changed);
};

/** The CVM whose id is in the address, or the list. */
function Page() {
  const id = useSyncExternalStore(subscribe, () => decodeURIComponent(location.hash.slice(1)));
  if (!id) return <CvmList first={20} size={20} />;
  return (
    <>
      <a href="#">all CVMs</a>
      <CvmPage key={id} id={id} />
    </>
  );
}

createRoot(document.getElementById('app')).render(
  <RelayEnvironmentProvider environment={environment}>
    <ErrorBoundary>
      <Suspense fallback="…">
        <Page />
      </Suspense>
    </ErrorBoundary>
  </RelayEnvironmentProvider>,
);
