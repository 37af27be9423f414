import { ChevronDownIcon, pick, useGraphiQL, useOperationsEditorState } from '@graphiql/react';
import {
  getNamedType,
  type GraphQLArgument,
  type GraphQLSchema,
  isCompositeType,
  isListType,
  isNonNullType,
  Kind,
} from 'graphql';
import { type KeyboardEvent, useId, useState } from 'react';
import { Panel } from './Panel';
import {
  add,
  type Choice,
  choicesOf,
  type Edit,
  find,
  type Path,
  readOperation,
  remove,
  setArgument,
  typedFrom,
} from './selection';

/** The query that the tree changes. */
interface Work {
  readonly schema: GraphQLSchema;
  readonly text: string;
  readonly operation: ReturnType<typeof readOperation>;
  readonly apply: (edit: Edit | null) => void;
}

/**
 * The schema's fields as a tree. Fields in the editor are checked, and checking a field adds it to
 * the operation.
 */
export function FieldsPanel() {
  const [text] = useOperationsEditorState();
  const { schema, operationName, queryEditor } = useGraphiQL(pick('schema', 'operationName', 'queryEditor'));
  const apply = (edit: Edit | null) => {
    const model = queryEditor?.getModel();
    if (!edit || !queryEditor || !model) {
      return;
    }
    const [start, end] = [model.getPositionAt(edit.start), model.getPositionAt(edit.end)];
    const range = {
      startLineNumber: start.lineNumber,
      startColumn: start.column,
      endLineNumber: end.lineNumber,
      endColumn: end.column,
    };
    queryEditor.pushUndoStop();
    queryEditor.executeEdits('fields', [{ range, text: edit.text }]);
    const last = model.getPositionAt(edit.start + edit.text.length);
    queryEditor.revealRangeInCenterIfOutsideViewport({
      ...range,
      endLineNumber: last.lineNumber,
      endColumn: last.column,
    });
  };
  const read = readSafely(text, operationName);
  const query = schema?.getQueryType();
  return (
    <Panel title="Fields">
      {!schema || !query ? (
        <p className="page-panel-note">The schema is not available.</p>
      ) : read instanceof Error ? (
        <p className="page-panel-note" role="status">
          The query has a syntax error: {read.message.replace(/^Syntax Error: /, '')} Correct it in the editor first.
        </p>
      ) : (
        <>
          <p className="page-panel-note">
            {read.operation ? (
              <>
                Fields of <code>{read.operation.name?.value ?? read.operation.operation}</code>. Check a field to add it.
              </>
            ) : (
              'Check a field to start a query.'
            )}
          </p>
          <div className="page-fields" onKeyDown={moveByArrows}>
            <Choices work={{ schema, text, operation: read.operation, apply }} above={[]} type={query} />
          </div>
        </>
      )}
    </Panel>
  );
}

function readSafely(text: string, name: string | undefined) {
  try {
    return { operation: readOperation(text, name) };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function Choices({ work, above, type }: { work: Work; above: readonly Choice[]; type: Choice['type'] }) {
  return (
    <ul>
      {choicesOf(work.schema, type).map((choice) => (
        <Row key={choice.step} work={work} choices={[...above, choice]} choice={choice} />
      ))}
    </ul>
  );
}

function Row({ work, choices, choice }: { work: Work; choices: readonly Choice[]; choice: Choice }) {
  const { text, operation, apply } = work;
  const path = choices.map(({ step }) => step);
  const node = find(operation, path);
  const [shown, setShown] = useState<boolean | null>(null); // null: open while the field is checked
  const open = shown ?? node !== null;
  const hasChoices = isCompositeType(choice.type);
  const tick = () => apply(node && operation ? remove(text, operation, path) : add(text, operation, choices));
  const label = `${open ? 'Hide' : 'Show'} fields of ${choice.step}`;
  return (
    <li>
      <div className="page-field-row" title={choice.field?.description ?? undefined}>
        {hasChoices ? (
          <button type="button" aria-expanded={open} aria-label={label} onClick={() => setShown(!open)}>
            <ChevronDownIcon aria-hidden="true" />
          </button>
        ) : (
          <span />
        )}
        <label>
          <input type="checkbox" checked={node !== null} onChange={tick} />
          <span>{choice.step}</span>
          <small>{choice.field ? String(choice.field.type) : ''}</small>
        </label>
      </div>
      {node?.kind === Kind.FIELD && choice.field && choice.field.args.length > 0 && (
        <ul className="page-arguments" aria-label={`Arguments of ${choice.step}`}>
          {choice.field.args.map((argument) => (
            <Argument key={argument.name} work={work} path={path} argument={argument} />
          ))}
        </ul>
      )}
      {hasChoices && open && <Choices work={work} above={choices} type={choice.type} />}
    </li>
  );
}

/**
 * An input for an argument. Valid values go into the editor at once. An empty input removes the
 * argument.
 */
function Argument({ work, path, argument }: { work: Work; path: Path; argument: GraphQLArgument }) {
  const id = useId();
  const field = find(work.operation, path);
  const value =
    field?.kind === Kind.FIELD ? field.arguments?.find((each) => each.name.value === argument.name)?.value : undefined;
  const typed = typedFrom(value);
  const [draft, setDraft] = useState<{ text: string; isValue: boolean } | null>(null); // while the user types
  const type = String(argument.type);
  const change = (text: string) => {
    const written = write(text, argument);
    setDraft({ text, isValue: written !== undefined });
    if (written !== undefined && field?.kind === Kind.FIELD) {
      work.apply(setArgument(field, argument.name, written));
    }
  };
  return (
    <li title={argument.description ?? undefined}>
      <label htmlFor={id}>{argument.name}</label>
      {typed === null ? (
        <output id={id}>{value?.kind === Kind.VARIABLE ? `$${value.name.value}` : 'in the editor'}</output>
      ) : (
        <input
          id={id}
          value={draft?.text ?? typed}
          placeholder={type}
          aria-invalid={draft?.isValue === false}
          autoCapitalize="none"
          autoComplete="off"
          autoCorrect="off"
          inputMode={getNamedType(argument.type).name === 'Int' ? 'numeric' : undefined}
          spellCheck={false}
          onBlur={() => setDraft(null)}
          onChange={(event) => change(event.currentTarget.value)}
        />
      )}
    </li>
  );
}

/**
 * Returns the typed string as a GraphQL value, null for no argument, or undefined if it is not a
 * valid value.
 */
function write(text: string, { type }: GraphQLArgument): string | null | undefined {
  const named = getNamedType(type).name;
  const scalar = (each: string) => {
    if (named !== 'Int') {
      return JSON.stringify(each);
    }
    return /^-?(0|[1-9]\d*)$/.test(each) ? each : undefined;
  };
  if (isListType(isNonNullType(type) ? type.ofType : type)) {
    const items = text.split(',').map((each) => each.trim());
    const written = items.filter((each) => each !== '').map(scalar);
    return written.includes(undefined) ? undefined : `[${written.join(', ')}]`;
  }
  if (text === '' && !isNonNullType(type)) {
    return null;
  }
  return scalar(text.trim());
}

/** Handles the arrow keys: up and down move in the tree, right and left open and close a field. */
function moveByArrows(event: KeyboardEvent<HTMLElement>) {
  const at = event.target as HTMLElement;
  if (!(at instanceof HTMLInputElement && at.type === 'checkbox')) {
    return;
  }
  const opener = at.closest('.page-field-row')?.querySelector<HTMLElement>('button[aria-expanded]');
  switch (event.key) {
    case 'ArrowDown':
    case 'ArrowUp': {
      const boxes = [...event.currentTarget.querySelectorAll<HTMLElement>('input[type="checkbox"]')];
      boxes[boxes.indexOf(at) + (event.key === 'ArrowDown' ? 1 : -1)]?.focus();
      break;
    }
    case 'ArrowRight':
    case 'ArrowLeft':
      if (opener?.getAttribute('aria-expanded') === String(event.key === 'ArrowLeft')) {
        opener.click();
      }
      break;
    default:
      return;
  }
  event.preventDefault();
}
