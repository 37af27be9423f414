import { useGraphiQL } from '@graphiql/react';
import { useEffect, useRef } from 'react';

/**
 * Makes Tab move the focus on in Monaco's editors, so that the keyboard gets out of them; Ctrl-M is the switch to and
 * from indenting. It stands for all editors, and Monaco has no other way in than the switch.
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
