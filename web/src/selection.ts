import {
  type ArgumentNode,
  type FieldNode,
  getNamedType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type InlineFragmentNode,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  TokenKind,
  type ValueNode,
} from 'graphql';

/*
 * Edits that add and remove selections in the text of an operation. They keep comments, layout, and
 * fields that are not in the schema.
 */

/** The path of a selection: field names, and type conditions as "... on Type". */
export type Path = readonly string[];

/** Replaces the characters from start to end by text. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A possible selection of a type. */
export interface Choice {
  /** The element of a Path. */
  readonly step: string;
  /** Null for a type condition. */
  readonly field: GraphQLField<unknown, unknown> | null;
  /** The type of the selection. */
  readonly type: GraphQLNamedType;
}

/**
 * Returns the operation with the name, or the first operation, or null if there are no operations.
 * Throws the errors of parse.
 */
export function readOperation(text: string, name: string | undefined): OperationDefinitionNode | null {
  if (/^(\s|,|#.*)*$/.test(text)) {
    return null;
  }
  const operations = parse(text).definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  return operations.find((operation) => operation.name?.value === name) ?? operations[0] ?? null;
}

/**
 * Returns the possible selections of a type: its fields, and for an interface the types that
 * implement it.
 */
export function choicesOf(schema: GraphQLSchema, type: GraphQLNamedType): Choice[] {
  const fields = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
  const types = isInterfaceType(type) ? schema.getPossibleTypes(type) : [];
  return [
    ...fields.map((field) => ({ step: field.name, field, type: getNamedType(field.type) })),
    ...types.map((implementing) => ({ step: `... on ${implementing.name}`, field: null, type: implementing })),
  ];
}

/** Returns the first selection with the path, or null. */
export function find(operation: OperationDefinitionNode | null, path: Path): FieldNode | InlineFragmentNode | null {
  let set: SelectionSetNode | undefined = operation?.selectionSet;
  let found: FieldNode | InlineFragmentNode | null = null;
  for (const step of path) {
    found = set?.selections.filter(isOurs).find((selection) => stepOf(selection) === step) ?? null;
    set = found?.selectionSet;
  }
  return found;
}

/** Adds the last of the choices and its missing parents. The choices start at the root type. */
export function add(text: string, operation: OperationDefinitionNode | null, choices: readonly Choice[]): Edit {
  if (!operation) {
    const rest = render(choices, '  ');
    return {
      start: text.length,
      end: text.length,
      text: `${/[^\n]$/.test(text) ? '\n' : ''}query Selected {\n  ${rest}\n}\n`,
    };
  }
  let set = operation.selectionSet;
  for (const [depth, { step }] of choices.entries()) {
    const next = set.selections.filter(isOurs).find((selection) => stepOf(selection) === step);
    if (!next) {
      return insert(text, set, choices.slice(depth));
    }
    if (!next.selectionSet) {
      const rest = choices.slice(depth + 1);
      const indent = indentAt(text, startOf(next));
      const end = endOf(next);
      return { start: end, end, text: ` {\n${indent}  ${render(rest, `${indent}  `)}\n${indent}}` };
    }
    set = next.selectionSet;
  }
  throw new Error('the selection already exists');
}

/** Removes a selection. If it is the only one, __typename replaces it. */
export function remove(text: string, operation: OperationDefinitionNode, path: Path): Edit {
  const node = find(operation, path);
  const set = path.length > 1 ? find(operation, path.slice(0, -1))?.selectionSet : operation.selectionSet;
  if (!node || !set) {
    throw new Error('the selection does not exist');
  }
  const start = startOf(node);
  const end = endOf(node);
  if (set.selections.length === 1) {
    return { start, end, text: placeholder };
  }
  const before = /(^|\n)[ \t]*$/.exec(text.slice(0, start));
  const after = /^[ \t,]*(#[^\n]*)?(\n|$)/.exec(text.slice(end));
  if (before && after) {
    return { start: start - before[0].length + (before[1]?.length ?? 0), end: end + after[0].length, text: '' };
  }
  return { start, end: end + (/^[ \t,]*/.exec(text.slice(end))?.[0].length ?? 0), text: '' };
}

/** Sets an argument of a field. If value is null, removes it. */
export function setArgument(field: FieldNode, name: string, value: string | null): Edit | null {
  const given = field.arguments ?? [];
  const argument = given.find((each) => each.name.value === name);
  if (value !== null) {
    if (argument) {
      return { start: startOf(argument.value), end: endOf(argument.value), text: value };
    }
    const last = given.at(-1);
    const at = endOf(last ?? field.name);
    return { start: at, end: at, text: last ? `, ${name}: ${value}` : `(${name}: ${value})` };
  }
  return argument ? without(field, given, argument) : null;
}

function without(field: FieldNode, given: readonly ArgumentNode[], argument: ArgumentNode): Edit {
  const at = given.indexOf(argument);
  const before = given[at - 1];
  const after = given[at + 1];
  if (before) {
    return { start: endOf(before), end: endOf(argument), text: '' };
  }
  if (after) {
    return { start: startOf(argument), end: startOf(after), text: '' };
  }
  let bracket = argument.loc?.endToken;
  while (bracket && bracket.kind !== TokenKind.PAREN_R) {
    bracket = bracket.next ?? undefined; // comments are tokens
  }
  return { start: endOf(field.name), end: bracket?.end ?? endOf(argument), text: '' };
}

/** Returns a value as a user types it, or null for variables and objects. */
export function typedFrom(value: ValueNode | undefined): string | null {
  switch (value?.kind) {
    case undefined:
    case Kind.NULL:
      return '';
    case Kind.INT:
    case Kind.FLOAT:
    case Kind.STRING:
    case Kind.ENUM:
      return value.value;
    case Kind.BOOLEAN:
      return String(value.value);
    case Kind.LIST: {
      const items = value.values.map(typedFrom);
      return items.includes(null) ? null : items.join(', ');
    }
    default:
      return null;
  }
}

function isOurs(selection: SelectionSetNode['selections'][number]): selection is FieldNode | InlineFragmentNode {
  return selection.kind !== Kind.FRAGMENT_SPREAD;
}

function stepOf(selection: FieldNode | InlineFragmentNode): string {
  return selection.kind === Kind.FIELD ? selection.name.value : `... on ${selection.typeCondition?.name.value}`;
}

const placeholder = '__typename';

function insert(text: string, set: SelectionSetNode, choices: readonly Choice[]): Edit {
  const [only] = set.selections;
  if (only && set.selections.length === 1 && only.kind === Kind.FIELD && only.name.value === placeholder) {
    return { start: startOf(only), end: endOf(only), text: render(choices, indentAt(text, startOf(only))) };
  }
  const brace = endOf(set) - 1;
  const last = set.selections.at(-1);
  const between = text.slice(last ? endOf(last) : startOf(set) + 1, brace);
  const line = between.lastIndexOf('\n');
  if (line < 0) {
    return { start: brace, end: brace, text: `${/\s$/.test(between) ? '' : ' '}${render(choices, null)} ` };
  }
  const start = brace - between.length + line + 1;
  const indent = last ? indentAt(text, startOf(last)) : `${indentAt(text, brace)}  `;
  return { start, end: start, text: `${indent}${render(choices, indent)}\n` };
}

/**
 * Returns the text for a path of choices. If the last one has fields, the text selects one of them:
 * id, name, or the first. If indent is null, the text is on one line.
 */
function render(choices: readonly Choice[], indent: string | null): string {
  const [choice, ...rest] = choices;
  if (!choice) {
    return placeholder;
  }
  const required = choice.field?.args.filter(isRequiredArgument) ?? [];
  const written = required.map((each) => `${each.name}: ${emptyOf(String(each.type))}`).join(', ');
  const head = choice.step + (written && `(${written})`);
  if (!isCompositeType(choice.type)) {
    return head;
  }
  if (indent === null) {
    return `${head} { ${rest.length > 0 ? render(rest, null) : firstField(choice.type)} }`;
  }
  const inner = `${indent}  `;
  return `${head} {\n${inner}${rest.length > 0 ? render(rest, inner) : firstField(choice.type)}\n${indent}}`;
}

function firstField(type: GraphQLNamedType): string {
  const fields = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
  const leaves = fields.filter(
    (field) => !isCompositeType(getNamedType(field.type)) && !field.args.some(isRequiredArgument),
  );
  const names = leaves.map((field) => field.name);
  return names.find((name) => name === 'id') ?? names.find((name) => name === 'name') ?? names[0] ?? placeholder;
}

function emptyOf(type: string): string {
  if (type.startsWith('[')) {
    return '[]';
  }
  return /^(Int|Float)/.test(type) ? '0' : '""';
}

function indentAt(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

function startOf(node: { loc?: { start: number } | undefined }): number {
  return node.loc?.start ?? 0;
}

function endOf(node: { loc?: { end: number } | undefined }): number {
  return node.loc?.end ?? 0;
}
