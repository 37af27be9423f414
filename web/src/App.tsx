import { DOC_EXPLORER_PLUGIN, DocExplorerStore } from '@graphiql/plugin-doc-explorer';
import { HISTORY_PLUGIN, HistoryStore } from '@graphiql/plugin-history';
import { type GraphiQLPlugin, GraphiQLProvider } from '@graphiql/react';
import { GraphiQL, GraphiQLInterface } from 'graphiql';
import { useEffect, useState } from 'react';
import { useActiveTabInSight } from './activeTab';
import { CopyButtons } from './CopyButtons';
import { CredentialBar } from './CredentialBar';
import { defaultQuery } from './defaultQuery';
import { ExamplesPanel } from './ExamplesPanel';
import { ExplainPanel } from './ExplainPanel';
import { FieldsPanel } from './FieldsPanel';
import { ExamplesIcon, FieldsIcon } from './icons';
import { openLink } from './link';
import { isNarrow, useFittingEditors } from './narrow';
import { useRunAtOnce } from './runAtOnce';
import { useRunShortcut } from './runShortcut';
import { Session, useSession } from './session';
import type { Settings } from './settings';
import { createStorage } from './storage';
import { useSystemTheme } from './systemTheme';
import { useTabOut } from './tabOut';

/** The whole page: the bar and GraphiQL, in GraphiQL's store. */
export function App({ settings }: { settings: Settings }) {
  const [linked] = useState(openLink);
  const [storage] = useState(() => createStorage('cvmgraph:'));
  const [session] = useState(() => new Session(settings, explainsAtFirst(storage.getItem('explain'), settings)));
  const [plugins] = useState(() => createPlugins(session, settings));
  const { explains } = useSession(session);
  useEffect(() => {
    storage.setItem('explain', String(explains));
  }, [storage, explains]);
  return (
    <GraphiQLProvider
      fetcher={session.fetcher}
      storage={storage}
      plugins={plugins}
      referencePlugin={DOC_EXPLORER_PLUGIN}
      defaultQuery={defaultQuery}
      {...linked}
      shouldPersistHeaders={false}
      schemaDescription
    >
      <HistoryStore>
        <DocExplorerStore>
          <Page session={session} settings={settings} />
        </DocExplorerStore>
      </HistoryStore>
    </GraphiQLProvider>
  );
}

/** Restores the panel's stored state. By default it is open for the demo on wide screens. */
function explainsAtFirst(stored: string | null, { demo }: Settings): boolean {
  return stored === null ? demo && !isNarrow() : stored === 'true';
}

/**
 * The panels of the sidebar. The first one is the panel that GraphiQL opens for a name in the
 * editor.
 */
function createPlugins(session: Session, { demo }: Settings): GraphiQLPlugin[] {
  return [
    DOC_EXPLORER_PLUGIN,
    { title: 'Fields', icon: FieldsIcon, content: FieldsPanel },
    { title: 'Examples', icon: ExamplesIcon, content: () => <ExamplesPanel session={session} demo={demo} /> },
    HISTORY_PLUGIN,
  ];
}

function Page({ session, settings }: { session: Session; settings: Settings }) {
  useActiveTabInSight();
  useFittingEditors();
  useRunAtOnce(settings.demo);
  useRunShortcut();
  useSystemTheme();
  useTabOut();
  return (
    <div className="page">
      <CredentialBar session={session} settings={settings} />
      <main className="page-main">
        <GraphiQLInterface isHeadersEditorEnabled={false} showPersistHeadersSettings={false}>
          <GraphiQL.Toolbar>
            {({ prettify, merge, copy }) => (
              <>
                {prettify}
                {merge}
                {copy}
                <CopyButtons session={session} endpoint={settings.endpoint} />
              </>
            )}
          </GraphiQL.Toolbar>
          <GraphiQL.Footer>
            <ExplainPanel session={session} />
          </GraphiQL.Footer>
        </GraphiQLInterface>
      </main>
    </div>
  );
}
