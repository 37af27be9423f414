import { count, duration } from './figures';

/** An upstream call or a cached page, from extensions.upstream. Numbers are not negative. */
export interface Call {
  /** Counted from 1, in pages of pageSize. */
  readonly page: number;
  readonly pageSize: number;
  /** The reason for the page: window, total, seam, realign, scan, lookup, or another word. */
  readonly reason: string;
  /** HTTP status, or 0 if there was no response. */
  readonly status: number;
  /** Start time, in ms after the first call. */
  readonly start: number;
  /** Duration of all attempts, in ms. */
  readonly ms: number;
  /** Number of attempts, or 0 for one. */
  readonly attempts: number;
  readonly bytes: number;
  /** The page was cached, and no call was made. */
  readonly cached: boolean;
  /** Another operation made the call. */
  readonly coalesced: boolean;
  /** Age of the page, in seconds. */
  readonly age: number;
}

/** The upstream calls and items of a response. */
export interface Upstream {
  /** Ordered by start time. */
  readonly calls: readonly Call[];
  readonly itemsFetched: number;
  readonly itemsReturned: number;
}

/**
 * Reads extensions.upstream. Returns null if it is missing. Missing and invalid values become 0, ""
 * or false.
 */
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

/** Returns sentences about extensions.pagination and extensions.stale, for the user. */
export function readRemarks(extensions: unknown): string[] {
  const { pagination, stale } = record(extensions);
  const remarks = (Array.isArray(pagination) ? pagination : []).map((each: unknown) => {
    const { inserted, removed, reordered, repeatedFrom } = record(each);
    const changes = [
      number(inserted) > 0 && `${count(number(inserted), 'CVM')} added`,
      number(removed) > 0 && `${count(number(removed), 'CVM')} removed`,
      reordered === true && 'the order changed',
    ].filter((change) => change !== false);
    const page = typeof repeatedFrom === 'number' ? 'Some CVMs can be repeated.' : 'No CVM is skipped or repeated.';
    return `The list changed${changes.length > 0 ? `: ${changes.join(', ')}` : ''}. ${page}`;
  });
  if (typeof stale === 'object' && stale !== null) {
    remarks.push(`The upstream failed. The data is ${duration(1000 * number(record(stale).age))} old.`);
  }
  return remarks;
}

/**
 * Returns the number of calls, and the end of the last call in ms after the start of the first, or
 * 0 without calls.
 */
export function spanOf({ calls }: Upstream): { calls: number; to: number } {
  const made = calls.filter((call) => !call.cached);
  return { calls: made.length, to: Math.max(0, ...made.map((call) => call.start + call.ms)) };
}

/** Reports whether a call was made and failed. */
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
    attempts: number(call.attempts),
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
