import { ChevronDownIcon, cn, useGraphiQLActions } from '@graphiql/react';
import { type KeyboardEvent, type ReactNode, useState } from 'react';
import { flawOf, type Kind, kindLabels } from './credential';
import { EyeIcon, EyeOffIcon } from './icons';
import { type Session, type State, useSession } from './session';
import type { Settings } from './settings';

/**
 * The head of the page: the title, the credential and the workspace for requests, and a status
 * line.
 */
export function CredentialBar({ session, settings }: { session: Session; settings: Settings }) {
  const { demo, version } = settings;
  const { run } = useGraphiQLActions();
  const state = useSession(session);
  const [shown, setShown] = useState(false);
  const { kind, secret, workspace } = state.credential;
  const runOnEnter = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
      run();
    }
  };
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
            aria-invalid={flawOf(secret) !== null || (state.problem?.about === 'credential' && secret !== '')}
            autoCapitalize="none"
            autoComplete="off"
            autoCorrect="off"
            spellCheck={false}
            data-1p-ignore
            data-bwignore
            data-lpignore="true"
            onChange={(event) => session.type(event.currentTarget.value)}
            onKeyDown={runOnEnter}
          />
          <button type="button" title={toggle} aria-label={toggle} onClick={() => setShown(!shown)}>
            {shown ? <EyeOffIcon /> : <EyeIcon />}
          </button>
        </div>
      </div>
      <div className="page-workspace">
        <label className="page-label" htmlFor="workspace">
          Workspace
        </label>
        <div className="page-field">
          <input
            id="workspace"
            value={workspace}
            placeholder="default"
            title="The slug or id of a workspace, sent as X-Phala-Workspace. If empty, the upstream uses the credential's own workspace."
            aria-describedby="credential-status"
            aria-invalid={flawOf(workspace) !== null}
            autoCapitalize="none"
            autoComplete="off"
            autoCorrect="off"
            spellCheck={false}
            onChange={(event) => session.enter(event.currentTarget.value)}
            onKeyDown={runOnEnter}
          />
        </div>
      </div>
      <p
        id="credential-status"
        className={cn('page-status', state.notice === null && (state.flaw ?? state.problem) !== null && 'page-status-error')}
        role="status"
      >
        {statusOf(state, demo)}
      </p>
      <p className="page-links">
        {version !== '' && <span title={`cvmgraph ${version}`}>{version}</span>}
        <a href="assets/docs/README.md" target="_blank" rel="noreferrer noopener">
          Docs
        </a>
      </p>
    </header>
  );
}

function statusOf({ credential, flaw, problem, notice, hidesSchema }: State, demo: boolean): ReactNode {
  if (notice !== null) {
    return notice;
  }
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
      {!bare && 'Sent with each request, never stored.'}
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
