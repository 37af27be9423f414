import { commitLocalUpdate, fetchQuery, graphql } from 'relay-runtime';

/**
 * Updates CVMs in the store with one request, and deletes those that no longer exist. Components
 * that show them are updated automatically. It does not find new CVMs: the list's button does. The
 * options are those of fetchQuery, such as noCache.
 */
export async function refresh(environment, ids, options) {
  const { nodes } = await fetchQuery(
    environment,
    graphql`
      query refreshQuery($ids: [ID!]!) {
        nodes(ids: $ids) {
          ...Cvm_cvm @alias
        }
      }
    `,
    { ids },
    options,
  ).toPromise();
  remove(environment, ids.filter((_, i) => nodes[i] === null));
}

/** Removes CVMs that no longer exist from the store, and so from each list. */
export const remove = (environment, ids) =>
  commitLocalUpdate(environment, (store) => ids.forEach((id) => store.delete(id)));
