import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { relayStylePagination } from '@apollo/client/utilities';

/**
 * Returns a client for the gateway at uri. headers contains the credential. With byGET, queries use
 * GET, which browsers can cache.
 */
export const createClient = ({ uri, headers, byGET = false }) =>
  new ApolloClient({
    cache: new InMemoryCache({
      typePolicies: { Query: { fields: { cvms: relayStylePagination(['nodeId', 'userId']) } } },
    }),
    link: new PersistedQueryLink({ sha256 }).concat(new HttpLink({ uri, headers, useGETForQueries: byGET })),
  });

async function sha256(query) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(query));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
