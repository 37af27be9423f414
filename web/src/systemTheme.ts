import { pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect } from 'react';

const dark = window.matchMedia('(prefers-color-scheme: dark)');

/**
 * Makes the editors follow the system's theme. GraphiQL reads it once for the editors, but its
 * colors follow it, so that the text would be unreadable after a change.
 */
export function useSystemTheme() {
  const { theme } = useGraphiQL(pick('theme'));
  const { setTheme } = useGraphiQLActions();
  useEffect(() => {
    if (theme !== null) {
      return; // the user's choice
    }
    const follow = () => setTheme(null);
    dark.addEventListener('change', follow);
    return () => dark.removeEventListener('change', follow);
  }, [theme, setTheme]);
}
