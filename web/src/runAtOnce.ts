import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';

/** Runs what is in the editor, once, when the page has come up; nothing where wanted is false. */
export function useRunAtOnce(wanted: boolean) {
  const { run } = useGraphiQLActions();
  // Not before the schema is there or has failed: GraphiQL writes that failure over the result.
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
