import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';

/** Runs the query in the editor once, after the page has loaded, if wanted is true. */
export function useRunAtOnce(wanted: boolean) {
  const { run } = useGraphiQLActions();
  // Wait until the schema is loaded or has failed, because GraphiQL replaces the result by that
  // error.
  const ready = useGraphiQL((state) =>
    Boolean(state.queryEditor && state.responseEditor && (state.schema ?? state.fetchError)),
  );
  const done = useRef(false);
  useEffect(() => {
    if (wanted && ready && !done.current) {
      done.current = true;
      run();
    }
  }, [wanted, ready, run]);
}
