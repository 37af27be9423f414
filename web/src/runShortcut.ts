import { useGraphiQLActions } from '@graphiql/react';
import { useEffect } from 'react';

/**
 * Makes Ctrl-Enter run the query wherever the focus is. GraphiQL's editors for the query and the
 * variables do that themselves. A dialog is closed first.
 */
export function useRunShortcut() {
  const { run } = useGraphiQLActions();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const at = event.target instanceof Element ? event.target : null;
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || at?.closest(elsewhere)) {
        return;
      }
      event.preventDefault();
      event.stopPropagation();
      if (!event.repeat) {
        run();
      }
    };
    window.addEventListener('keydown', onKeyDown, true);
    return () => window.removeEventListener('keydown', onKeyDown, true);
  }, [run]);
}

const elsewhere = '.graphiql-editors .monaco-editor, [role="dialog"]';
