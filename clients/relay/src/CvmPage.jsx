import { useEffect } from 'react';
import { graphql, useLazyLoadQuery, useRelayEnvironment } from 'react-relay';
import { Cvm } from './Cvm';
import { remove } from './refresh';

/** One CVM by its id, for a page of its own. node is null if the CVM no longer exists. */
export function CvmPage({ id }) {
  const environment = useRelayEnvironment();
  const { node } = useLazyLoadQuery(
    graphql`
      query CvmPageQuery($id: ID!) {
        node(id: $id) {
          ... on Cvm @alias(as: "cvm") {
            ...Cvm_cvm
            vcpu
            memory
            diskSize
            publicUrls {
              app
            }
          }
        }
      }
    `,
    { id },
    { fetchPolicy: 'store-and-network' },
  );
  const isGone = node === null;
  useEffect(() => {
    if (isGone) remove(environment, [id]);
  }, [environment, id, isGone]);
  if (!node?.cvm) return <p>This CVM does not exist, or the credential cannot see it.</p>;
  const { cvm } = node;
  return (
    <>
      <ul>
        <Cvm cvm={cvm} />
      </ul>
      <p>
        {cvm.vcpu} vCPU, {cvm.memory} MB of memory, {cvm.diskSize} GB of disk
      </p>
      {cvm.publicUrls.map(({ app }) => app && <a key={app} href={app}>{app}</a>)}
    </>
  );
}
