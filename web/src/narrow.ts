import { pick, useGraphiQL } from '@graphiql/react';
import { useEffect, useSyncExternalStore } from 'react';

const narrow = window.matchMedia('(max-width: 800px)'); // as in page.css

/** Reports whether the screen is narrow, so that panels cover the panes. */
export function isNarrow(): boolean {
  return narrow.matches;
}

/** On iPhones and iPads, Monaco shows a button for the keyboard in a corner of an editor. */
const hasKeyboardButton = /Macintosh|iPad|iPhone/.test(navigator.userAgent) && navigator.maxTouchPoints > 0;

/** Adapts GraphiQL's editors to a narrow screen: a smaller font and no line numbers. */
export function useFittingEditors() {
  const isNarrow = useSyncExternalStore(subscribe, () => narrow.matches);
  const { queryEditor, variableEditor, responseEditor } = useGraphiQL(
    pick('queryEditor', 'variableEditor', 'responseEditor'),
  );
  useEffect(() => {
    const fontSize = isNarrow ? 13 : 15;
    for (const editor of [queryEditor, variableEditor]) {
      editor?.updateOptions({
        ...(hasKeyboardButton && { scrollbar: { verticalScrollbarSize: 44 } }), // as wide as the button: see page.css
        fontSize,
        folding: !isNarrow,
        lineNumbers: isNarrow ? 'off' : 'on',
        wordWrap: 'on',
      });
    }
    responseEditor?.updateOptions({ fontSize });
  }, [isNarrow, queryEditor, variableEditor, responseEditor]);
}

function subscribe(listener: () => void) {
  narrow.addEventListener('change', listener);
  return () => narrow.removeEventListener('change', listener);
}
