/** One call to the upstream, or a page that was at hand, as extensions.upstream tells of it. No number is negative. */
export interface Call {
  /** Counted from 1, in pages of pageSize. */
  readonly page: number;
  readonly pageSize: number;
  /** What the page was for: window, total, seam, realign, scan, lookup, or another word. */
  readonly reason: string;
  /** HTTP status, 0 where none came. */
  readonly status: number;
  /** When it began, in ms after the first call. */
  readonly start: number;
  /** How long it took, in ms. */
  readonly ms: number;
  readonly bytes: number;
  /** No call was made: the page was kept. */
  readonly cached: boolean;
  /** Another operation's call brought the page. */
  readonly coalesced: boolean;
  /** How old the page was, in seconds. */
  readonly age: number;
}

/** What an answer cost. */
export interface Upstream {
  /** In the order in which they began. */
  readonly calls: readonly Call[];
  readonly itemsFetched: number;
  readonly itemsReturned: number;
}

/** Reads extensions.upstream, or null where there is none. What is missing or of another type becomes 0, "" or false. */
export function readUpstream(extensions: unknown): Upstream | null {
  const { upstream } = record(extensions);
  if (typeof upstream !== 'object' || upstream === null) {
    return null;
  }
  const { calls, itemsFetched, itemsReturned } = record(upstream);
  return {
    calls: (Array.isArray(calls) ? calls : []).map(readCall).sort((a, b) => a.start - b.start || a.page - b.page),
    itemsFetched: number(itemsFetched),
    itemsReturned: number(itemsReturned),
  };
}

/** Says how many calls were made, and when the last of them ended, in ms after the first began; 0 without calls. */
export function spanOf({ calls }: Upstream): { calls: number; to: number } {
  const made = calls.filter((call) => !call.cached);
  return { calls: made.length, to: Math.max(0, ...made.map((call) => call.start + call.ms)) };
}

/** Says whether a call was made and brought no page. */
export function hasFailed({ cached, status }: Call): boolean {
  return !cached && (status < 200 || status >= 300);
}

function readCall(value: unknown): Call {
  const call = record(value);
  return {
    page: number(call.page),
    pageSize: number(call.pageSize),
    reason: typeof call.reason === 'string' ? call.reason.slice(0, 20) : '',
    status: number(call.status),
    start: number(call.start),
    ms: number(call.ms),
    bytes: number(call.bytes),
    cached: call.cached === true,
    coalesced: call.coalesced === true,
    age: number(call.age),
  };
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.max(0, value) : 0;
}
