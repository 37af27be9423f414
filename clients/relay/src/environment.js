import { Environment, Network, RecordSource, Store } from 'relay-runtime';

/** Options of fetchQuery that make the gateway bypass its cache, for a button that refreshes. */
export const noCache = { networkCacheConfig: { force: true, metadata: { noCache: true } } };

/**
 * Returns an environment for the gateway at url, such as /graphql. headers() returns the
 * credential's header for each request.
 */
export const createEnvironment = (url, headers) =>
  new Environment({
    network: Network.create(async ({ text }, variables, { metadata }) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Accept: 'application/graphql-response+json',
          ...(metadata?.noCache && { 'Cache-Control': 'no-cache' }),
          ...headers(),
        },
        body: JSON.stringify({ query: text, variables }),
      });
      const result = await response.json();
      const error = result.data ? result.errors?.find(({ path }) => path.length === 1) : result.errors[0];
      if (error) throw new GatewayError(error);
      return result;
    }),
    store: new Store(new RecordSource()),
  });

/** An error of the whole request, or of a field of Query such as cvms. */
export class GatewayError extends Error {
  constructor({ message, extensions }) {
    super(message);
    this.code = extensions.code;
    this.retryAfter = extensions.retryAfter; // in seconds, if known
  }
}
