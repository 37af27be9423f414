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

/**
 * Loads the whole cached list again with one request: new CVMs appear, removed ones disappear.
 * refetch is the function of useQuery or watchQuery.
 */
export const reload = (refetch, { edges }) =>
  refetch({ first: Math.max(1, edges.length), after: null, last: null, before: null });

/**
 * Updates cached CVMs with one request, and removes those that no longer exist. Lists that show
 * them are updated automatically. It does not find new CVMs: see reload.
 */
export async function refresh(client, ids) {
  const { data } = await client.query({
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
  ids.filter((_, i) => data.nodes[i] === null).forEach((id) => client.cache.evict({ id: `Cvm:${id}` }));
  client.cache.gc();
}
