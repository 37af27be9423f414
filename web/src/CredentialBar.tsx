import { ChevronDownIcon, cn, useGraphiQLActions } from '@graphiql/react';
import { type ReactNode, useState } from 'react';
import { type Kind, kindLabels } from './credential';
import { EyeIcon, EyeOffIcon } from './icons';
import { type Session, type State, useSession } from './session';

/** The head of the page: the title, the credential for requests, and a status line. */
export function CredentialBar({ session, demo }: { session: Session; demo: boolean }) {
  const { run } = useGraphiQLActions();
  const state = useSession(session);
  const [shown, setShown] = useState(false);
  const { kind, secret } = state.credential;
  const toggle = shown ? 'Hide credential' : 'Show credential';
  return (
    <header className="graphiql-container page-bar">
      <h1 className="page-brand">
        cvmgraph
        {demo && <span className="page-badge">demo</span>}
      </h1>
      {/* Not a form: browsers offer to save the values of forms. */}
      <div className="page-credential" role="group" aria-label="Credential">
        <label className="page-label" htmlFor="credential">
          Credential
        </label>
        <div className="page-field">
          <span className="page-select">
            <select
              aria-label="Kind of credential"
              value={kind}
              onChange={(event) => session.choose(event.currentTarget.value as Kind)}
            >
              {Object.entries(kindLabels).map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
            <ChevronDownIcon aria-hidden="true" />
          </span>
          <input
            id="credential"
            type={shown ? 'text' : 'password'}
            value={secret}
            placeholder={kind === 'apiKey' ? 'phak_…' : 'access token'}
            aria-describedby="credential-status"
            aria-invalid={state.flaw !== null || (state.problem?.about === 'credential' && secret !== '')}
            autoCapitalize="none"
            autoComplete="off"
            autoCorrect="off"
            spellCheck={false}
            data-1p-ignore
            data-bwignore
            data-lpignore="true"
            onChange={(event) => session.type(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
                run();
              }
            }}
          />
          <button type="button" title={toggle} aria-label={toggle} onClick={() => setShown(!shown)}>
            {shown ? <EyeOffIcon /> : <EyeIcon />}
          </button>
        </div>
      </div>
      <p
        id="credential-status"
        className={cn('page-status', (state.flaw ?? state.problem) !== null && 'page-status-error')}
        role="status"
      >
        {statusOf(state, demo)}
      </p>
    </header>
  );
}

function statusOf({ credential, flaw, problem, hidesSchema }: State, demo: boolean): ReactNode {
  if (flaw !== null) {
    return (
      <>
        <strong>This cannot be sent.</strong> {flaw}
      </>
    );
  }
  const bare = credential.secret === '';
  if (problem) {
    return (
      <>
        <strong>{problem.title}</strong> {problem.text}
        {bare && problem.about === 'credential' && <> {whereToGetOne}</>}
      </>
    );
  }
  return (
    <>
      {!bare && 'Sent with each request, stored in this page’s memory only.'}
      {bare && demo && 'Demo data, no credential needed.'}
      {bare && !demo && <>Queries need a credential. {whereToGetOne}</>}
      {hidesSchema && ' Introspection is disabled in this gateway: no docs and no completion.'}
    </>
  );
}

const whereToGetOne = (
  <>
    Get an API key at{' '}
    <a href="https://cloud.phala.com" target="_blank" rel="noreferrer noopener">
      cloud.phala.com
    </a>
    .
  </>
);
