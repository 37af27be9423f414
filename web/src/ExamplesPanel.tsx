import { pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useRef } from 'react';
import { defaultQuery } from './defaultQuery';
import { type Example, examples } from './examples';
import { isNarrow } from './narrow';
import { Panel } from './Panel';
import { type Session, useSession } from './session';

/**
 * The worked examples. A click puts an example into the editor and runs it. If the editor has a
 * user's query, it opens a new tab.
 */
export function ExamplesPanel({ session, demo }: { session: Session; demo: boolean }) {
  const open = useOpenExample(session, demo);
  const { known } = useSession(session);
  return (
    <Panel title="Examples">
      <p className="page-panel-note">
        Examples only read data. Cursors and ids come from earlier responses.
      </p>
      <ol className="page-examples">
        {examples.map((example) => (
          <li key={example.name}>
            <button type="button" onClick={() => open(example, example.query(known), example.variables?.(known))}>
              <strong>{example.title}</strong>
              <span>{example.about}</span>
            </button>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function useOpenExample(session: Session, demo: boolean) {
  const { addTab, run, setOperationName, setVisiblePlugin, stop } = useGraphiQLActions();
  const { queryEditor, variableEditor } = useGraphiQL(pick('queryEditor', 'variableEditor'));
  const ours = useRef(new Set(['', defaultQuery]));
  return (example: Example, query: string, variables?: Record<string, string>) => {
    const model = queryEditor?.getModel();
    if (!queryEditor || !model) {
      return;
    }
    stop();
    if (ours.current.has(model.getValue())) {
      // Use an edit, so that it can be undone.
      queryEditor.executeEdits('example', [{ range: model.getFullModelRange(), text: query }]);
    } else {
      addTab();
      model.setValue(query);
    }
    variableEditor?.setValue(variables ? JSON.stringify(variables, null, 2) : '');
    if (variables) {
      document.querySelector<HTMLElement>('.graphiql-editor-tools [data-name="variables"]')?.click(); // opens the pane
    }
    queryEditor.setScrollTop(0);
    ours.current.add(query);
    setOperationName(example.name); // GraphiQL would detect it later
    if (example.explain) {
      session.explain(true);
    }
    const { credential, flaw } = session.state();
    if (demo || (credential.secret !== '' && flaw === null)) {
      run();
    }
    if (isNarrow()) {
      setVisiblePlugin(null); // the panel covers the response
      document.querySelector<HTMLElement>('.graphiql-tab-active button')?.focus();
    }
  };
}
