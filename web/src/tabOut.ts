import { useGraphiQL } from '@graphiql/react';
import { useEffect, useRef } from 'react';

/**
 * Makes Tab move the focus out of Monaco's editors. Ctrl-M switches between this and indenting, for
 * all editors. Monaco has no option for it, only the action that toggles it.
 */
export function useTabOut() {
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const done = useRef(false);
  useEffect(() => {
    if (queryEditor && !done.current) {
      done.current = true;
      queryEditor.trigger('page', 'editor.action.toggleTabFocusMode', null);
    }
  }, [queryEditor]);
}
