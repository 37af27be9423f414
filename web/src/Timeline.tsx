import { cn } from '@graphiql/react';
import { count, duration, size } from './figures';
import { type Call, hasFailed, spanOf, type Upstream } from './upstream';

const mostRows = 100; // the default limit for calls per operation

/**
 * A table of the calls. Its middle column is a timeline. On narrow screens each call is a block of
 * three lines, and the timeline is the last one.
 */
export function Timeline({ upstream }: { upstream: Upstream }) {
  const { to } = spanOf(upstream);
  const { calls } = upstream;
  return (
    <table className="page-calls">
      <caption className="page-unseen">Upstream calls, by start time</caption>
      <thead>
        <tr>
          <th scope="col">Page</th>
          <th scope="col">Needed for</th>
          <th scope="col" className="page-calls-when">
            <span className="page-unseen">When</span>
            <span className="page-calls-axis" aria-hidden="true">
              <span>0</span>
              {to > 0 && <span>{duration(to / 2)}</span>}
              {to > 0 && <span>{duration(to)}</span>}
            </span>
          </th>
          <th scope="col">Result</th>
          <th scope="col" className="page-calls-figure">
            Time
          </th>
          <th scope="col" className="page-calls-figure">
            Size
          </th>
        </tr>
      </thead>
      <tbody>
        {calls.slice(0, mostRows).map((call, index) => (
          <Row key={index} call={call} to={to} />
        ))}
      </tbody>
      {calls.length > mostRows && (
        <tfoot>
          <tr>
            <td colSpan={6}>and {count(calls.length - mostRows, 'other')}</td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}

function Row({ call, to }: { call: Call; to: number }) {
  const kind = kindOf(call);
  return (
    <tr className={`page-call-${kind}`}>
      <th scope="row" title={`Page ${call.page}, ${call.pageSize} per page`}>
        {rangeOf(call)}
      </th>
      <td className="page-calls-reason">{reasons[call.reason] ?? call.reason}</td>
      <td className="page-calls-when">
        <Bar call={call} to={to} />
      </td>
      <td className="page-calls-status">{statusOf(call)}</td>
      <td className="page-calls-figure page-calls-time">{call.cached ? '0 ms' : duration(call.ms)}</td>
      <td className="page-calls-figure page-calls-size">{call.bytes > 0 ? size(call.bytes) : '–'}</td>
    </tr>
  );
}

/** Returns the places of a page's CVMs in the list, counted from 1. Pages can overlap. */
function rangeOf({ page, pageSize }: Call): string {
  const last = page * pageSize;
  const first = last - pageSize + 1;
  if (last < 1) {
    return 'no page';
  }
  return first === last ? `CVM ${last}` : `CVMs ${first}–${last}`;
}

/** The reasons of the gateway in plain words. */
const reasons: Readonly<Record<string, string>> = {
  window: 'the requested CVMs',
  total: 'the total number',
  seam: 'a change between pages',
  realign: 'a CVM that moved',
  scan: 'a CVM that moved far',
  lookup: 'an id',
};

/**
 * A bar on the axis from 0 to to, at least a few pixels wide, or a mark at its start if no call was
 * made.
 */
function Bar({ call, to }: { call: Call; to: number }) {
  const percent = (ms: number) => `${to > 0 ? Math.min(100, (100 * ms) / to) : 0}%`;
  const label = call.cached
    ? 'no call'
    : `from ${duration(call.start)} to ${duration(call.start + call.ms)} after the first call`;
  return (
    <span className="page-bar-track" role="img" aria-label={label}>
      <span
        className={cn('page-bar-span', call.cached && 'page-bar-mark')}
        style={{ left: percent(call.start), width: call.cached ? undefined : percent(call.ms) }}
      />
    </span>
  );
}

type Kind = 'cached' | 'shared' | 'failed' | 'made';

function kindOf(call: Call): Kind {
  if (call.cached) {
    return 'cached';
  }
  if (hasFailed(call)) {
    return 'failed';
  }
  return call.coalesced ? 'shared' : 'made';
}

function statusOf({ cached, coalesced, status, attempts, age }: Call): string {
  if (cached) {
    return age > 0 ? `cached ${duration(age * 1000)} ago` : 'cached';
  }
  const text = status === 0 ? 'no response' : `HTTP ${status}`;
  const tries = attempts > 1 ? `${text}, ${count(attempts, 'attempt')}` : text;
  return coalesced ? `${tries}, shared` : tries;
}
