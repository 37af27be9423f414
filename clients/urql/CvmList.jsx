import { useState } from 'react';
import { useQuery } from 'urql';
import { codesOf, CVMS, next } from './cvms.js';

/** The list from its beginning, with buttons for the next page and for the current state. */
export function CvmList({ size = 20 }) {
  const [{ variables, context }, setRequest] = useState({ variables: { first: size } });
  const [{ data, error, fetching }] = useQuery({ query: CVMS, variables, context });
  const list = data?.cvms; // of the previous request, until there is a response
  const more = list && next(list, size);
  // Loads as many CVMs as there are now: new ones appear, removed ones disappear.
  const reload = () =>
    setRequest({
      variables: { first: Math.max(size, list.edges.length) },
      context: { requestPolicy: 'network-only' }, // a new object each time, so that it is sent again
    });
  return (
    <section aria-busy={fetching}>
      <button disabled={fetching || !list} onClick={reload}>
        refresh
      </button>
      <ol>
        {list?.edges.map(({ node }) => (
          <li key={node.id} id={node.id}>
            {node.name} <em>{node.status}</em>
          </li>
        ))}
      </ol>
      {error && <p role="alert">{codesOf(error).join(', ')}</p>}
      {more && (
        <button disabled={fetching} onClick={() => setRequest({ variables: more })}>
          next
        </button>
      )}
    </section>
  );
}
