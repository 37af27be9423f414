import { fetchQuery, graphql } from 'relay-runtime';

/**
 * Updates CVMs in the store with one request. Components that show them are updated automatically.
 */
export const refresh = (environment, ids) =>
  fetchQuery(
    environment,
    graphql`
      query refreshQuery($ids: [ID!]!) {
        nodes(ids: $ids) {
          ...Cvm_cvm @alias
        }
      }
    `,
    { ids },
  ).toPromise();
