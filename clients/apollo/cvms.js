import { CombinedGraphQLErrors, gql } from '@apollo/client';

export const CVMS = gql`
  query Cvms($first: Int, $after: String, $last: Int, $before: String, $nodeId: Int, $userId: String) {
    cvms(first: $first, after: $after, last: $last, before: $before, nodeId: $nodeId, userId: $userId) {
      edges {
        cursor
        node {
          id
          name
          status
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

/**
 * Returns the variables of fetchMore for the page after the cached list, or null at the end of the
 * list.
 */
export const next = ({ pageInfo }, first) =>
  pageInfo.hasNextPage ? { first, after: pageInfo.endCursor, last: null, before: null } : null;

/**
 * Returns the variables of fetchMore for the page before the cached list, or null at its beginning.
 */
export const previous = ({ pageInfo }, last) =>
  pageInfo.hasPreviousPage ? { first: null, after: null, last, before: pageInfo.startCursor } : null;

/** Returns the codes of an error, such as UNAUTHENTICATED. */
export const codesOf = (error) =>
  CombinedGraphQLErrors.is(error) ? error.errors.map(({ extensions }) => extensions.code) : ['NETWORK'];

/** Updates cached CVMs with one request. Lists that show them are updated automatically. */
export const refresh = (client, ids) =>
  client.query({
    query: gql`
      query Refresh($ids: [ID!]!) {
        nodes(ids: $ids) {
          id
          ... on Cvm {
            name
            status
          }
        }
      }
    `,
    variables: { ids },
    fetchPolicy: 'network-only',
  });
