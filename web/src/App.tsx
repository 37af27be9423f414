import { DOC_EXPLORER_PLUGIN, DocExplorerStore } from '@graphiql/plugin-doc-explorer';
import { HISTORY_PLUGIN, HistoryStore } from '@graphiql/plugin-history';
import { GraphiQLProvider } from '@graphiql/react';
import { GraphiQLInterface } from 'graphiql';
import { useState } from 'react';
import { CredentialBar } from './CredentialBar';
import { defaultQuery } from './defaultQuery';
import { useFittingEditors } from './narrow';
import { useRunAtOnce } from './runAtOnce';
import { Session } from './session';
import type { Settings } from './settings';
import { createStorage } from './storage';

/** The sidebar's panels, first the one that GraphiQL opens from a name in the editor. */
const plugins = [DOC_EXPLORER_PLUGIN, HISTORY_PLUGIN];

/** The whole page: the bar above GraphiQL, both inside GraphiQL's store. */
export function App({ settings }: { settings: Settings }) {
  const [session] = useState(() => new Session(settings));
  const [storage] = useState(() => createStorage('cvmgraph:'));
  return (
    <GraphiQLProvider
      fetcher={session.fetcher}
      storage={storage}
      plugins={plugins}
      referencePlugin={DOC_EXPLORER_PLUGIN}
      defaultQuery={defaultQuery}
      shouldPersistHeaders={false}
      schemaDescription
    >
      <HistoryStore>
        <DocExplorerStore>
          <Page session={session} demo={settings.demo} />
        </DocExplorerStore>
      </HistoryStore>
    </GraphiQLProvider>
  );
}

function Page({ session, demo }: { session: Session; demo: boolean }) {
  useFittingEditors();
  useRunAtOnce(demo);
  return (
    <div className="page">
      <CredentialBar session={session} demo={demo} />
      <main className="page-main">
        <GraphiQLInterface isHeadersEditorEnabled={false} showPersistHeadersSettings={false} />
      </main>
    </div>
  );
}
