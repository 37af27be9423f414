import { useState } from 'react';
import { fetchQuery, graphql, useLazyLoadQuery, usePaginationFragment, useRelayEnvironment } from 'react-relay';
import CvmListPaginationQuery from './__generated__/CvmListPaginationQuery.graphql';
import { Cvm } from './Cvm';
import { noCache } from './environment';

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
  return <Cvms query={query} size={size} range={range} />;
}

function Cvms({ query, size, range }) {
  const environment = useRelayEnvironment();
  const [error, setError] = useState(null);
  const [isReloading, setReloading] = useState(false);
  const { data, hasNext, hasPrevious, isLoadingNext, isLoadingPrevious, loadNext, loadPrevious } = usePaginationFragment(
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
  // Loads as many CVMs as there are now: new ones appear, removed ones disappear. If that fails,
  // the list does not change. refetch would replace it by the error boundary.
  const reload = async () => {
    setReloading(true);
    const count = Math.max(size, data.cvms.edges.length);
    const variables = { ...range, [range.last ? 'last' : 'first']: count };
    const loaded = fetchQuery(environment, CvmListPaginationQuery, variables, noCache).toPromise();
    setError(await loaded.then(() => null, (failed) => failed));
    setReloading(false);
  };
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
