import { fetchQuery, graphql } from 'relay-runtime';

/** Brings CVMs that the store has up to date, in one request. What is on the screen follows by itself. */
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
