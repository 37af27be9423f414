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

/** The variables of the page behind, or ahead of, what the cache has; null where there is none. */
export const next = ({ pageInfo }, first) => (pageInfo.hasNextPage ? { first, after: pageInfo.endCursor } : null);

export const previous = ({ pageInfo }, last) => (pageInfo.hasPreviousPage ? { last, before: pageInfo.startCursor } : null);

/** The codes of what went wrong, such as UNAUTHENTICATED. */
export const codesOf = (error) =>
  error.networkError ? ['NETWORK'] : error.graphQLErrors.map(({ extensions }) => extensions.code);

/** Brings CVMs that the cache has up to date, in one request. Every list that shows them follows by itself. */
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
