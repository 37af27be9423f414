import type { Fetcher, FetcherParams } from '@graphiql/toolkit';
import { type Credential, headersFor } from './credential';

/** An error of a GraphQL response. */
export interface ResponseError {
  readonly message: string;
  readonly extensions?: { readonly code?: string };
}

/** A GraphQL response, or an error that the page made in its place. */
export interface Result {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly ResponseError[];
  readonly extensions?: unknown;
}

/** A request and its result. */
export interface Exchange {
  /** The request is GraphiQL's own introspection. */
  readonly introspection: boolean;
  readonly query: string;
  readonly credential: Credential;
  /** The request asked for its upstream calls. */
  readonly explained: boolean;
  readonly result: Result;
  /** A message for the user if there was no GraphQL response, or null. */
  readonly failure: string | null;
}

export interface FetcherOptions {
  readonly endpoint: string;
  /**
   * Called for each request. The fetcher itself must not change, because GraphiQL introspects again
   * for a new fetcher.
   */
  readonly credential: () => Credential;
  /** Called for each request. Reports whether to ask for the upstream calls. */
  readonly explain: () => boolean;
  /** Returns what the result pane shows of a result. */
  readonly shown: (result: Result) => Result;
  /** Called after each request, unless the user stopped it. */
  readonly onExchange: (exchange: Exchange) => void;
}

/**
 * Returns the fetcher for GraphiQL. It never fails: if there is no GraphQL response, it returns an
 * error with a message for the user. It returns observables, because GraphiQL's stop button
 * requires them.
 */
export function createFetcher({ endpoint, credential: current, explain, shown, onExchange }: FetcherOptions): Fetcher {
  return (params) => ({
    subscribe(sink: Sink) {
      const credential = current();
      const introspection = params.operationName === 'IntrospectionQuery';
      const explained = !introspection && explain();
      const headers = { ...headersFor(credential), ...(explained && { 'X-Cvmgraph-Explain': '1' }) };
      const stopped = new AbortController();
      void ask(endpoint, params, headers, stopped.signal).then(({ result, failure }) => {
        if (stopped.signal.aborted) {
          return;
        }
        onExchange({ introspection, query: params.query, credential, explained, result, failure });
        sink.next(introspection ? result : shown(result));
        sink.complete();
      });
      return { unsubscribe: () => stopped.abort() };
    },
  });
}

interface Sink {
  next(result: Result): void;
  complete(): void;
}

async function ask(endpoint: string, params: FetcherParams, headers: Record<string, string>, signal: AbortSignal) {
  let response: Response;
  let body: string;
  try {
    response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        Accept: 'application/graphql-response+json, application/json;q=0.9',
        'Content-Type': 'application/json',
        ...headers,
      },
      body: JSON.stringify(params),
      signal,
    });
    body = await response.text();
  } catch {
    return failed('The gateway does not respond. Is it running, and can this machine reach it?');
  }
  const result = parse(body);
  if (result) {
    return { result, failure: null };
  }
  return failed(
    `The response is not GraphQL (HTTP ${response.status}). Check the proxies between this page and the gateway.`,
  );
}

function failed(failure: string): { result: Result; failure: string } {
  return { result: { errors: [{ message: failure }] }, failure };
}

function parse(body: string): Result | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && ('data' in value || 'errors' in value)
      ? (value as Result)
      : null;
  } catch {
    return null;
  }
}
