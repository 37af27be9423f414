import type { Fetcher, FetcherParams } from '@graphiql/toolkit';
import { type Credential, headersFor } from './credential';

/** A GraphQL error as it comes over the wire. */
export interface ResponseError {
  readonly message: string;
  readonly extensions?: { readonly code?: string };
}

/** A GraphQL answer, or what the page says in place of one. */
export interface Answer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly ResponseError[];
  readonly extensions?: unknown;
}

/** One request and what came of it. */
export interface Exchange {
  /** GraphiQL's own question for the schema, not the user's. */
  readonly introspection: boolean;
  readonly query: string;
  readonly credential: Credential;
  /** The answer was to tell its calls. */
  readonly explained: boolean;
  readonly answer: Answer;
  /** No GraphQL answer came: why, for a person to read. */
  readonly failure: string | null;
}

export interface FetcherOptions {
  readonly endpoint: string;
  /** Asked at each request, so that the fetcher itself stays the same: GraphiQL introspects anew for a new one. */
  readonly credential: () => Credential;
  /** Asked likewise: whether answers are to tell their calls. */
  readonly explain: () => boolean;
  /** Told of each request that was not stopped. */
  readonly onExchange: (exchange: Exchange) => void;
}

/**
 * The fetcher that GraphiQL asks. It never fails: where no GraphQL answer came, it makes up one whose message a person
 * can read. It is an observable, because that is what GraphiQL's stop button can stop.
 */
export function createFetcher({ endpoint, credential: current, explain, onExchange }: FetcherOptions): Fetcher {
  return (params) => ({
    subscribe(sink: Sink) {
      const credential = current();
      const introspection = params.operationName === 'IntrospectionQuery';
      const explained = !introspection && explain();
      const headers = { ...headersFor(credential), ...(explained && { 'X-Cvmgraph-Explain': '1' }) };
      const stopped = new AbortController();
      void ask(endpoint, params, headers, stopped.signal).then(({ answer, failure }) => {
        if (stopped.signal.aborted) {
          return;
        }
        onExchange({ introspection, query: params.query, credential, explained, answer, failure });
        sink.next(answer);
        sink.complete();
      });
      return { unsubscribe: () => stopped.abort() };
    },
  });
}

interface Sink {
  next(answer: Answer): void;
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
    return failed('The gateway does not answer. Is it running, and is this machine connected to it?');
  }
  const answer = parse(body);
  if (answer) {
    return { answer, failure: null };
  }
  return failed(
    `The answer is not GraphQL (HTTP ${response.status}). Something between this page and the gateway gave it.`,
  );
}

function failed(failure: string): { answer: Answer; failure: string } {
  return { answer: { errors: [{ message: failure }] }, failure };
}

function parse(body: string): Answer | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && ('data' in value || 'errors' in value)
      ? (value as Answer)
      : null;
  } catch {
    return null;
  }
}
