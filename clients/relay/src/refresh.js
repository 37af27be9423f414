import { commitLocalUpdate, fetchQuery, graphql } from 'relay-runtime';
import { noCache } from './environment';

/**
 * Updates CVMs in the store with one request, and deletes those that no longer exist. Components
 * that show them are updated automatically. It does not find new CVMs: the list's button does.
 */
export async function refresh(environment, ids) {
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
    noCache,
  ).toPromise();
  commitLocalUpdate(environment, (store) => ids.filter((_, i) => nodes[i] === null).forEach((id) => store.delete(id)));
}
