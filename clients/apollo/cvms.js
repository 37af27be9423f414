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

/** The variables of fetchMore for the page behind, or ahead of, what the cache has; null where there is none. */
export const next = ({ pageInfo }, first) =>
  pageInfo.hasNextPage ? { first, after: pageInfo.endCursor, last: null, before: null } : null;

export const previous = ({ pageInfo }, last) =>
  pageInfo.hasPreviousPage ? { first: null, after: null, last, before: pageInfo.startCursor } : null;

/** The codes of what went wrong, such as UNAUTHENTICATED. */
export const codesOf = (error) =>
  CombinedGraphQLErrors.is(error) ? error.errors.map(({ extensions }) => extensions.code) : ['NETWORK'];

/** Brings CVMs that the cache has up to date, in one request. Every list that shows them follows by itself. */
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
