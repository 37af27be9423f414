import { DOC_EXPLORER_PLUGIN, DocExplorerStore } from '@graphiql/plugin-doc-explorer';
import { HISTORY_PLUGIN, HistoryStore } from '@graphiql/plugin-history';
import { type GraphiQLPlugin, GraphiQLProvider } from '@graphiql/react';
import { GraphiQL, GraphiQLInterface } from 'graphiql';
import { useEffect, useState } from 'react';
import { CredentialBar } from './CredentialBar';
import { defaultQuery } from './defaultQuery';
import { ExamplesPanel } from './ExamplesPanel';
import { ExplainPanel } from './ExplainPanel';
import { FieldsPanel } from './FieldsPanel';
import { ExamplesIcon, FieldsIcon } from './icons';
import { isNarrow, useFittingEditors } from './narrow';
import { useRunAtOnce } from './runAtOnce';
import { Session, useSession } from './session';
import type { Settings } from './settings';
import { createStorage } from './storage';
import { useTabOut } from './tabOut';

/** The whole page: the bar above GraphiQL, both inside GraphiQL's store. */
export function App({ settings }: { settings: Settings }) {
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

/** As it was left, else where there is something to see and room for it. */
function explainsAtFirst(kept: string | null, { demo }: Settings): boolean {
  return kept === null ? demo && !isNarrow() : kept === 'true';
}

/** The sidebar's panels, first the one that GraphiQL opens from a name in the editor. */
function createPlugins(session: Session, { demo }: Settings): GraphiQLPlugin[] {
  return [
    DOC_EXPLORER_PLUGIN,
    { title: 'Fields', icon: FieldsIcon, content: FieldsPanel },
    { title: 'Examples', icon: ExamplesIcon, content: () => <ExamplesPanel session={session} demo={demo} /> },
    HISTORY_PLUGIN,
  ];
}

function Page({ session, demo }: { session: Session; demo: boolean }) {
  useFittingEditors();
  useRunAtOnce(demo);
  useTabOut();
  return (
    <div className="page">
      <CredentialBar session={session} demo={demo} />
      <main className="page-main">
        <GraphiQLInterface isHeadersEditorEnabled={false} showPersistHeadersSettings={false}>
          <GraphiQL.Footer>
            <ExplainPanel session={session} />
          </GraphiQL.Footer>
        </GraphiQLInterface>
      </main>
    </div>
  );
}
