// Cells: one value in one position. A position is a place for a value, and its values are literals,
// variables of each type with each kind of JSON value, and defaults of variables.

/** Positions by name: their type, and a document with a value in the position. */
export const positions = {
  'first of cvms': ['Int', (x) => `{ cvms(first: ${x}) { edges { node { id } } } }`],
  'last of cvms': ['Int', (x) => `{ cvms(last: ${x}) { nodes { __typename } } }`],
  'nodeId of cvms': ['Int', (x) => `{ cvms(first: 1, nodeId: ${x}) { totalCount } }`],
  'userId of cvms': ['String', (x) => `{ cvms(first: 1, userId: ${x}) { totalCount } }`],
  'after of cvms': ['String', (x) => `{ cvms(first: 1, after: ${x}) { totalCount } }`],
  'before of cvms': ['String', (x) => `{ cvms(last: 1, before: ${x}) { totalCount } }`],
  'id of node': ['ID!', (x) => `{ node(id: ${x}) { id } }`],
  'vmId of cvm': ['ID!', (x) => `{ cvm(vmId: ${x}) { id } }`],
  'ids of nodes': ['[ID!]!', (x) => `{ nodes(ids: ${x}) { id } }`],
  'an element of ids': ['ID!', (x) => `{ nodes(ids: ["Q3ZtOmE", ${x}]) { id } }`],
  'an element of a list in ids': ['none', (x) => `{ nodes(ids: [[${x}]]) { id } }`],
  'name of __type': ['String!', (x) => `{ __type(name: ${x}) { name } }`],
  'includeDeprecated of fields': ['Boolean', (x) => `{ __type(name: "PageInfo") { fields(includeDeprecated: ${x}) { name } } }`],
  'includeDeprecated of enumValues': ['Boolean', (x) => `{ __type(name: "__TypeKind") { enumValues(includeDeprecated: ${x}) { name } } }`],
  'includeDeprecated of inputFields': ['Boolean', (x) => `{ __type(name: "Cvm") { inputFields(includeDeprecated: ${x}) { name } } }`],
  'includeDeprecated of args': ['Boolean', (x) => `{ __type(name: "Query") { fields { args(includeDeprecated: ${x}) { name } } } }`],
  'if of @skip at a field': ['Boolean!', (x) => `{ a: __typename b: __typename @skip(if: ${x}) }`],
  'if of @include at a field': ['Boolean!', (x) => `{ cvms(first: 2) { nodes { __typename id @include(if: ${x}) } } }`],
  'if of @skip at a spread': ['Boolean!', (x) => `{ a: __typename ...F @skip(if: ${x}) } fragment F on Query { b: __typename }`],
  'if of @include at a spread': ['Boolean!', (x) => `{ cvms(first: 2) { nodes { __typename ...F @include(if: ${x}) } } } fragment F on Cvm { id }`],
  'if of @skip at an inline fragment': ['Boolean!', (x) => `{ cvms(first: 2) { nodes { __typename ... on Node @skip(if: ${x}) { id } } } }`],
  'if of @include at an inline fragment': ['Boolean!', (x) => `{ a: __typename ... @include(if: ${x}) { b: __typename } }`],
  'if of @skip in a fragment': ['Boolean!', (x) => `{ ...F } fragment F on Query { a: __typename b: __typename @skip(if: ${x}) }`],
  'if of @defer': ['Boolean!', (x) => `{ a: __typename ... @defer(if: ${x}) { b: __typename } }`],
  'label of @defer': ['String', (x) => `{ a: __typename ... @defer(label: ${x}) { b: __typename } }`],
  'representations of _entities': ['[_Any!]!', (x) => `{ _entities(representations: ${x}) { __typename } }`],
  'an element of representations': ['_Any!', (x) => `{ _entities(representations: [${x}]) { __typename } }`],
  'id in a representation': ['_Any', (x) => `{ _entities(representations: [{ __typename: "Cvm", id: ${x} }]) { __typename } }`],
  'vmId in a representation': ['_Any', (x) => `{ _entities(representations: { __typename: "Cvm", vmId: ${x} }) { __typename } }`],
  'an unknown argument': ['none', (x) => `{ cvms(first: 1, nope: ${x}) { totalCount } }`],
  'an argument of a field without arguments': ['none', (x) => `{ __typename(a: ${x}) }`],
};

/** Literals of every kind. */
const literals = [
  '0', '1', '-1', '-0', '2147483647', '2147483648', '-2147483648', '-2147483649', '9007199254740993', '99999999999999999999',
  '0.0', '1.0', '1.5', '1e0', '1E2', '-1.5e-3', '1e400', '1e999',
  '""', '"a"', '"1"', '"true"', '"Q3ZtOmE"', '"usr_a"', '"\\u00e9\\u{1F600}"', '"""block"""',
  'true', 'false', 'null', 'TRUE', 'OBJECT',
  '[]', '[1]', '["a"]', '["Q3ZtOmE"]', '[true]', '[null]', '[[]]', '[[1]]', '[{}]',
  '{}', '{a: 1}', '{if: true}', '{__typename: "Cvm", vmId: "a"}', '{__typename: Cvm, id: 1}', '{a: {b: [{c: null}]}}', '{a: 1, a: 2}', '$undefined',
];

/** The literals that a default can have. */
const constants = literals.filter((literal) => literal !== '$undefined');

/** The JSON of variable values of every kind. */
const values = [
  'null', '0', '1', '-1', '-0', '1.0', '1.5', '1e2', '-1e-2', '1e400', '2147483647', '2147483648', '-2147483649', '9007199254740993',
  '99999999999999999999', '""', '"a"', '"1"', '"true"', '"Q3ZtOmE"', '"usr_a"', '"\\u00e9\\ud83d\\ude00"', 'true', 'false', '[]', '[1]', '["a"]',
  '["Q3ZtOmE"]', '[true]', '[null]', '[[]]', '[["a"]]', '[1.5]', '[{}]', '{}', '{"a":1}', '{"__typename":"Cvm","vmId":"a"}', '{"__typename":"Cvm","id":1.5}',
  '[{"__typename":"Cvm","vmId":"a"}]', '{"a":{"b":[{"c":null}]}}',
];

/** The types of variables. The last ones are never valid. */
const types = [
  'Int', 'Int!', 'String', 'String!', 'ID', 'ID!', 'Boolean', 'Boolean!', 'Float', 'Int64', 'Int64!', '_Any', '_Any!', '[ID!]!', '[ID!]', '[ID]!', '[ID]',
  '[[ID!]!]!', '[_Any!]!', '[_Any!]', '[Int]', '[Boolean!]!', '__TypeKind', 'Cvm', 'Node', '_Entity', 'Unknown', '[Unknown]',
];

/**
 * Returns the cells as requests. A variable has all kinds of values only if its type is allowed in
 * the position, which isValid reports of a document.
 */
export function cells(isValid) {
  const all = [];
  const add = (name, query, variables) => all.push({ name, query, variables });
  for (const [position, [, document]] of Object.entries(positions)) {
    for (const literal of literals) add(`${position}: ${literal}`, document(literal));
    for (const type of types) {
      const query = withVariable(document('$v'), type);
      add(`${position}: a variable of type ${type}`, query, '{}');
      if (!isValid(query)) continue;
      add(`${position}: a variable of type ${type} without variables`, query);
      add(`${position}: a variable of type ${type}, and one that is not defined`, query, '{"v":null,"w":{}}');
      for (const value of values) add(`${position}: ${type} = ${value}`, query, `{"v":${value}}`);
    }
  }
  for (const type of types) {
    const position = Object.values(positions).find(([, document]) => isValid(withVariable(document('$v'), type)));
    for (const literal of constants) {
      const query = withVariable(position ? position[1]('$v') : '{ __typename @skip(if: $v) }', `${type} = ${literal}`);
      add(`the default ${literal} of ${type}`, query);
      if (!isValid(query)) continue;
      add(`the default ${literal} of ${type}, and null`, query, '{"v":null}');
    }
  }
  // A variable with a default may be in a position that is not null, and null replaces the default.
  for (const [position, [type, document]] of Object.entries(positions)) {
    for (const literal of ['1', '"a"', 'true', '["a"]', '{__typename: "Cvm", vmId: "a"}', '[{__typename: "Cvm", vmId: "a"}]']) {
      const query = withVariable(document('$v'), `${type.replace(/!$/, '')} = ${literal}`);
      if (type === 'none' || !isValid(query)) continue;
      for (const variables of [undefined, '{}', '{"v":null}']) add(`${position}: the default ${literal} and ${variables}`, query, variables);
    }
  }
  return all;
}

const withVariable = (document, type) => `query($v: ${type}) ${document}`;
