import { Button, ChevronDownIcon, ChevronUpIcon, pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';
import { count, duration, size } from './figures';
import { type Explained, type Session, useSession } from './session';
import { Timeline } from './Timeline';
import { hasFailed, spanOf, type Upstream } from './upstream';

/**
 * The upstream calls of the last response. Requests have the explain header only while the panel is
 * open.
 */
export function ExplainPanel({ session }: { session: Session }) {
  const { explains, explained, remarks } = useSession(session);
  const Chevron = explains ? ChevronDownIcon : ChevronUpIcon;
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    if (explains) {
      section.current?.scrollIntoView({ block: 'nearest' }); // the panes scroll on a narrow screen
    }
  }, [explains]);
  return (
    <section ref={section} className="page-explain" aria-label="Upstream calls">
      <div className="page-explain-bar">
        <button
          type="button"
          className="page-explain-head"
          aria-expanded={explains}
          aria-controls="explain"
          onClick={() => session.explain(!explains)}
        >
          <Chevron aria-hidden="true" />
          <span className="page-explain-title">Upstream calls</span>
          <span className="page-explain-summary">{explains ? summaryOf(explained) : ''}</span>
        </button>
        <RawButton session={session} />
      </div>
      {remarks.length > 0 && <p className="page-explain-remark">{remarks.join(' ')}</p>}
      {/* Focusable, so that the keyboard can scroll it. */}
      <div
        id="explain"
        className="page-explain-body"
        hidden={!explains}
        role="region"
        aria-label="Calls of the last response"
        tabIndex={0}
      >
        {explains && <Body explained={explained} />}
      </div>
    </section>
  );
}

/** Switches the result pane between data with errors and the whole response. */
function RawButton({ session }: { session: Session }) {
  const { raw } = useSession(session);
  const { updateActiveTabValues } = useGraphiQLActions();
  const { responseEditor } = useGraphiQL(pick('responseEditor'));
  const toggle = () => {
    session.showRaw(!raw);
    const other = session.otherForm(responseEditor?.getValue() ?? '');
    if (other !== undefined) {
      responseEditor?.setValue(other);
      updateActiveTabValues({ response: other });
    }
  };
  return (
    <button
      type="button"
      className="page-raw"
      aria-label="Raw response"
      aria-pressed={raw}
      title="Show the whole response, with extensions"
      onClick={toggle}
    >
      Raw
    </button>
  );
}

function Body({ explained }: { explained: Explained }) {
  const { run } = useGraphiQLActions();
  const isFetching = useGraphiQL((state) => state.isFetching);
  switch (explained) {
    case 'none':
      return <p>Run a query to see its upstream calls.</p>;
    case 'unasked':
      return (
        <p>
          The last request did not include its upstream calls.{' '}
          <Button type="button" disabled={isFetching} onClick={run}>
            Run it again
          </Button>
        </p>
      );
    case 'untold':
      return <p>The last response has no calls: the operation was not executed.</p>;
  }
  if (explained.calls.length === 0) {
    return <p>No call: the operation needs no data from the upstream.</p>;
  }
  return (
    <>
      <Items upstream={explained} />
      <Timeline upstream={explained} />
    </>
  );
}

/** The numbers of fetched and returned items. */
function Items({ upstream }: { upstream: Upstream }) {
  const { itemsFetched: fetched, itemsReturned: returned } = upstream;
  const most = Math.max(fetched, returned, 1);
  return (
    <div className="page-items">
      <dl>
        {Object.entries({ Fetched: fetched, Returned: returned }).map(([name, items]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <span className="page-bar-track" aria-hidden="true">
                <span
                  className={`page-bar-span page-items-${name.toLowerCase()}`}
                  style={{ width: `${(100 * items) / most}%` }}
                />
              </span>
              {count(items, 'CVM')}
            </dd>
          </div>
        ))}
      </dl>
      <p>{excessOf(upstream)}</p>
    </div>
  );
}

function excessOf({ calls, itemsFetched, itemsReturned }: Upstream): string {
  const failed = calls.filter(hasFailed).length;
  if (failed > 0) {
    return `${count(failed, 'call')} failed.`;
  }
  const excess = itemsFetched - itemsReturned;
  if (calls.every((call) => call.cached)) {
    return 'All pages were cached.';
  }
  if (excess > 0) {
    return `${count(excess, 'CVM')} more than returned: to find a cursor or an id, to compare neighboring pages, or for a total.`;
  }
  if (excess === 0) {
    return '';
  }
  return calls.some((call) => call.cached)
    ? 'Some CVMs came from the cache.'
    : 'Some CVMs are more than once in the response.';
}

function summaryOf(explained: Explained): string {
  if (typeof explained === 'string') {
    return '';
  }
  const { calls, to } = spanOf(explained);
  const cached = explained.calls.length - calls;
  const bytes = explained.calls.reduce((sum, call) => sum + (call.cached ? 0 : call.bytes), 0);
  const parts = [calls === 0 ? 'no call' : count(calls, 'call')];
  if (cached > 0) {
    parts.push(`${count(cached, 'page')} cached`);
  }
  if (calls > 0) {
    parts.push(duration(to), size(bytes));
  }
  return parts.join(' · ');
}
