import { gql } from '@urql/core';

export const CVMS = gql`
  query Cvms($first: Int, $after: String, $last: Int, $before: String, $nodeId: Int, $userId: String) {
    cvms(first: $first, after: $after, last: $last, before: $before, nodeId: $nodeId, userId: $userId) {
      edges {
        cursor
        node {
          id
          name
          status
          hosted {
            uptime
          }
          node {
            name
          }
        }
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  }
`;

/** Returns the variables of the page after the cached list, or null at the end of the list. */
export const next = ({ pageInfo }, first) => (pageInfo.hasNextPage ? { first, after: pageInfo.endCursor } : null);

/** Returns the variables of the page before the cached list, or null at its beginning. */
export const previous = ({ pageInfo }, last) => (pageInfo.hasPreviousPage ? { last, before: pageInfo.startCursor } : null);

/** Returns the codes of an error, such as UNAUTHENTICATED. */
export const codesOf = (error) =>
  error.networkError ? ['NETWORK'] : error.graphQLErrors.map(({ extensions }) => extensions.code);

/**
 * Loads a whole cached list again with one request: new CVMs appear, removed ones disappear. It
 * replaces the cached pages. filters are the nodeId and the userId of the list.
 */
export const reload = (client, { edges }, filters) =>
  client.query(CVMS, { first: Math.max(1, edges.length), ...filters }, { requestPolicy: 'network-only' });

/**
 * Updates cached CVMs with one request. Lists that show them are updated automatically. A CVM that
 * no longer exists stays in them: see reload.
 */
export const refresh = (client, ids) =>
  client.query(
    gql`
      query Refresh($ids: [ID!]!) {
        nodes(ids: $ids) {
          id
          ... on Cvm {
            name
            status
            hosted {
              uptime
            }
          }
        }
      }
    `,
    { ids },
    { requestPolicy: 'network-only' },
  );
