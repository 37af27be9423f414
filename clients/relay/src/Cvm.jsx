import { useState } from 'react';
import { graphql, useFragment, useRelayEnvironment } from 'react-relay';
import { noCache } from './environment';
import { refresh } from './refresh';

/** A CVM with a link to its own page, and a button that fetches it again by its id. */
export function Cvm({ cvm }) {
  const environment = useRelayEnvironment();
  const [error, setError] = useState(null);
  const [isFetching, setFetching] = useState(false);
  const { id, name, status, hosted } = useFragment(
    graphql`
      fragment Cvm_cvm on Cvm {
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
  const fetchAgain = async () => {
    setFetching(true);
    setError(await refresh(environment, [id], noCache).then(() => null, (failed) => failed));
    setFetching(false);
  };
  return (
    <li id={id} aria-busy={isFetching}>
      <a href={`#${encodeURIComponent(id)}`}>{name}</a> <em>{status}</em> {hosted?.uptime}{' '}
      <button onClick={fetchAgain}>refresh</button>{' '}
      {error && <span role="alert">{error.code ?? 'NETWORK'}</span>}
    </li>
  );
}
