import { Environment, Network, RecordSource, Store } from 'relay-runtime';

/** A store over the gateway at url, such as /graphql. headers() returns the credential's header, anew for each request. */
export const createEnvironment = (url, headers) =>
  new Environment({
    network: Network.create(async ({ text }, variables) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json', ...headers() },
        body: JSON.stringify({ query: text, variables }),
      });
      const answer = await response.json();
      const error = answer.data ? answer.errors?.find(({ path }) => path.length === 1) : answer.errors[0];
      if (error) throw new GatewayError(error);
      return answer;
    }),
    store: new Store(new RecordSource()),
  });

/** What cost the whole request, or a field of Query such as cvms. */
export class GatewayError extends Error {
  constructor({ message, extensions }) {
    super(message);
    this.code = extensions.code;
    this.retryAfter = extensions.retryAfter; // seconds, where the upstream says
  }
}
