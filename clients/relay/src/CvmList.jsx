import { useState, useTransition } from 'react';
import { graphql, useLazyLoadQuery, usePaginationFragment } from 'react-relay';
import { Cvm } from './Cvm';

/**
 * The list from its beginning, { first: 20 }, or from its end, { last: 20 }. Only administrators
 * can use nodeId and userId.
 */
export function CvmList({ size, ...range }) {
  const query = useLazyLoadQuery(
    graphql`
      query CvmListQuery($first: Int, $last: Int, $nodeId: Int, $userId: String) {
        ...CvmList_cvms @arguments(first: $first, last: $last, nodeId: $nodeId, userId: $userId)
      }
    `,
    range,
  );
  return <Cvms query={query} size={size} />;
}

function Cvms({ query, size }) {
  const [error, setError] = useState(null);
  const [isReloading, startReload] = useTransition();
  const { data, hasNext, hasPrevious, isLoadingNext, isLoadingPrevious, loadNext, loadPrevious, refetch } = usePaginationFragment(
    graphql`
      fragment CvmList_cvms on Query
      @refetchable(queryName: "CvmListPaginationQuery")
      @argumentDefinitions(
        first: { type: "Int" }
        after: { type: "String" }
        last: { type: "Int" }
        before: { type: "String" }
        nodeId: { type: "Int" }
        userId: { type: "String" }
      ) {
        cvms(first: $first, after: $after, last: $last, before: $before, nodeId: $nodeId, userId: $userId)
          @connection(key: "CvmList_cvms") {
          edges {
            node {
              id
              ...Cvm_cvm
            }
          }
        }
      }
    `,
    query,
  );
  const load = (more) => more(size, { onComplete: setError });
  // Loads as many CVMs as there are now: new ones appear, removed ones disappear.
  const reload = () =>
    startReload(() => {
      const first = Math.max(size, data.cvms.edges.length);
      refetch({ first, last: null }, { fetchPolicy: 'network-only', onComplete: setError });
    });
  return (
    <section aria-busy={isReloading || isLoadingNext || isLoadingPrevious}>
      <button onClick={reload}>refresh</button>
      {hasPrevious && <button onClick={() => load(loadPrevious)}>previous</button>}
      <ol>
        {data.cvms.edges.map(
          ({ node }) => node && <Cvm key={node.id} cvm={node} />, // null if refresh.js has deleted it
        )}
      </ol>
      {error && <p role="alert">{error.code ?? 'NETWORK'}</p>}
      {hasNext && <button onClick={() => load(loadNext)}>next</button>}
    </section>
  );
}
