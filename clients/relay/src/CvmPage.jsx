import { graphql, useLazyLoadQuery } from 'react-relay';
import { Cvm } from './Cvm';

/** One CVM by its id, for a page of its own. node is null if the CVM no longer exists. */
export function CvmPage({ id }) {
  const { node } = useLazyLoadQuery(
    graphql`
      query CvmPageQuery($id: ID!) {
        node(id: $id) {
          ...Cvm_cvm @alias(as: "cvm")
        }
      }
    `,
    { id },
    { fetchPolicy: 'store-and-network' },
  );
  return node?.cvm ? (
    <ul>
      <Cvm cvm={node.cvm} />
    </ul>
  ) : (
    <p>This CVM does not exist, or the credential cannot see it.</p>
  );
}
