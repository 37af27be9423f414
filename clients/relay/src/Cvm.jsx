import { useTransition } from 'react';
import { graphql, useRefetchableFragment } from 'react-relay';

/** A CVM with a button that fetches it again by its id. */
export function Cvm({ cvm }) {
  const [fetching, start] = useTransition();
  const [data, refetch] = useRefetchableFragment(
    graphql`
      fragment Cvm_cvm on Cvm @refetchable(queryName: "CvmRefetchQuery") {
        id
        name
        status
        hosted {
          uptime
        }
      }
    `,
    cvm,
  );
  if (data === null) return null; // the CVM no longer exists
  return (
    <li id={data.id} aria-busy={fetching}>
      {data.name} <em>{data.status}</em> {data.hosted?.uptime}{' '}
      <button onClick={() => start(() => refetch({}, { fetchPolicy: 'network-only' }))}>refresh</button>
    </li>
  );
}
