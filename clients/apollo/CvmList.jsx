import { useQuery } from '@apollo/client/react';
import { useState } from 'react';
import { codesOf, CVMS, next, reload } from './cvms.js';

/** The list from its beginning, with buttons for the next page and for the current state. */
export function CvmList({ size = 20 }) {
  const { data, error, fetchMore, refetch } = useQuery(CVMS, { variables: { first: size } });
  const [{ busy, failure }, setState] = useState({ busy: false, failure: null });
  const run = async (work) => {
    setState({ busy: true, failure: null });
    await work().then(
      () => setState({ busy: false, failure: null }),
      (failure) => setState({ busy: false, failure }),
    );
  };
  const list = data?.cvms;
  const shown = failure ?? error;
  const more = list && next(list, size);
  return (
    <section aria-busy={busy}>
      <button disabled={busy || !list} onClick={() => run(() => reload(refetch, list))}>
        refresh
      </button>
      <ol>
        {list?.edges.map(({ node }) => (
          <li key={node.id} id={node.id}>
            {node.name} <em>{node.status}</em>
          </li>
        ))}
      </ol>
      {shown && <p role="alert">{codesOf(shown).join(', ')}</p>}
      {more && (
        <button disabled={busy} onClick={() => run(() => fetchMore({ variables: more }))}>
          next
        </button>
      )}
    </section>
  );
}
