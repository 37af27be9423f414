import { pick, useGraphiQL } from '@graphiql/react';
import { useEffect } from 'react';

/** Scrolls the active tab into sight, also if it is new. */
export function useActiveTabInSight() {
  const { activeTabIndex, tabs } = useGraphiQL(pick('activeTabIndex', 'tabs'));
  useEffect(() => {
    document.querySelector('.graphiql-tab-active')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [activeTabIndex, tabs.length]);
}
