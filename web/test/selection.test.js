// The edits that the Fields panel makes.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { before, test } from 'node:test';
import { build } from 'vite';

let page; // the exports of the entry
let schema;

before(async () => {
  page = await built(path.join(import.meta.dirname, 'selection.entry.ts'));
  schema = page.buildSchema(await readFile(path.join(import.meta.dirname, '../../schema.graphqls'), 'utf8'));
});

for (const [name, { text, path: steps, want }] of Object.entries({
  'a field is added after the others, and comments remain': {
    text: '# mine\nquery A { # here\n  cvms(first: 2) {\n    totalCount # all\n    # last\n  }\n}\n',
    path: ['cvms', 'pageInfo', 'hasNextPage'],
    want: '# mine\nquery A { # here\n  cvms(first: 2) {\n    totalCount # all\n    # last\n    pageInfo {\n      hasNextPage\n    }\n  }\n}\n',
  },
  'a field with fields is added with one of them': {
    text: '{\n  cvms {\n    totalCount\n  }\n}\n',
    path: ['cvms', 'nodes'],
    want: '{\n  cvms {\n    totalCount\n    nodes {\n      id\n    }\n  }\n}\n',
  },
  'on one line': {
    text: '{ cvms(first: 1) { nodes { id } } }',
    path: ['cvms', 'nodes', 'node'],
    want: '{ cvms(first: 1) { nodes { id node { name } } } }',
  },
  'on one line without spaces': {
    text: '{cvms{totalCount}}',
    path: ['cvms', 'nodes'],
    want: '{cvms{totalCount nodes { id } }}',
  },
  'a required argument is added, empty': {
    text: '{\n  cvms {\n    totalCount\n  }\n}\n',
    path: ['node', '... on Cvm', 'name'],
    want: '{\n  cvms {\n    totalCount\n  }\n  node(id: "") {\n    ... on Cvm {\n      name\n    }\n  }\n}\n',
  },
  'a required list is added, empty': {
    text: '{ cvm(vmId: "x") { id } }',
    path: ['nodes'],
    want: '{ cvm(vmId: "x") { id } nodes(ids: []) { id } }',
  },
  'an empty editor gets an operation': {
    text: '',
    path: ['cvms', 'totalCount'],
    want: 'query Selected {\n  cvms {\n    totalCount\n  }\n}\n',
  },
  'an editor with comments only gets an operation': {
    text: '# To do',
    path: ['cvms', 'totalCount'],
    want: '# To do\nquery Selected {\n  cvms {\n    totalCount\n  }\n}\n',
  },
  '__typename as placeholder is replaced': {
    text: '{\n  __typename\n}',
    path: ['cvms', 'totalCount'],
    want: '{\n  cvms {\n    totalCount\n  }\n}',
  },
  'a field without braces gets braces': {
    text: 'query A {\n  cvms(first: 1)\n}',
    path: ['cvms', 'nodes', 'name'],
    want: 'query A {\n  cvms(first: 1) {\n    nodes {\n      name\n    }\n  }\n}',
  },
  'an aliased field is removed': {
    text: '{ mine: cvms { totalCount } }',
    path: ['cvms', 'totalCount'],
    want: '{ mine: cvms { __typename } }',
  },
  'a field is removed with its line and comment': {
    text: '{\n  cvms {\n    # above\n    totalCount # beside\n    nodes { id }\n  }\n}\n',
    path: ['cvms', 'totalCount'],
    want: '{\n  cvms {\n    # above\n    nodes { id }\n  }\n}\n',
  },
  'a field is removed from a line with several fields': {
    text: '{ cvms { totalCount, nodes { id } } }',
    path: ['cvms', 'totalCount'],
    want: '{ cvms { nodes { id } } }',
  },
  'a field is removed with its fields': {
    text: '{\n  cvms {\n    totalCount\n    nodes {\n      id\n    }\n  }\n}\n',
    path: ['cvms', 'nodes'],
    want: '{\n  cvms {\n    totalCount\n  }\n}\n',
  },
  'the last field is replaced by __typename': {
    text: '{ cvms(first: 3) { totalCount } }',
    path: ['cvms', 'totalCount'],
    want: '{ cvms(first: 3) { __typename } }',
  },
  'the named operation is changed': {
    text: 'query B { cvms { totalCount } }\nquery A { cvms { totalCount } }',
    path: ['cvms', 'nodes', 'id'],
    want: 'query B { cvms { totalCount } }\nquery A { cvms { totalCount nodes { id } } }',
  },
})) {
  test(`checking: ${name}`, () => {
    const got = change(text, (operation) =>
      page.find(operation, steps) ? page.remove(text, operation, steps) : page.add(text, operation, choicesAt(steps)),
    );
    assert.equal(got, want);
    assert.deepEqual(page.validate(schema, page.parse(want)), []);
  });
}

for (const [name, { text, set, want }] of Object.entries({
  'the first argument gets parentheses': {
    text: '{ cvms { totalCount } }',
    set: ['first', '3'],
    want: '{ cvms(first: 3) { totalCount } }',
  },
  'another argument is appended': {
    text: '{ cvms(first: 3) { totalCount } }',
    set: ['after', '"x"'],
    want: '{ cvms(first: 3, after: "x") { totalCount } }',
  },
  'an existing argument is changed': {
    text: '{ cvms(first: $n, after: "x") { totalCount } }',
    set: ['first', '4'],
    want: '{ cvms(first: 4, after: "x") { totalCount } }',
  },
  'the only argument is removed with its parentheses': {
    text: '{ cvms( first: 3 # three\n ) { totalCount } }',
    set: ['first', null],
    want: '{ cvms { totalCount } }',
  },
  'the first of two is removed': {
    text: '{ cvms(first: 3, after: "x") { totalCount } }',
    set: ['first', null],
    want: '{ cvms(after: "x") { totalCount } }',
  },
  'the last of two is removed': {
    text: '{ cvms(first: 3, after: "x") { totalCount } }',
    set: ['after', null],
    want: '{ cvms(first: 3) { totalCount } }',
  },
  'a missing argument is not removed': {
    text: '{ cvms { totalCount } }',
    set: ['after', null],
    want: '{ cvms { totalCount } }',
  },
})) {
  test(`arguments: ${name}`, () => {
    assert.equal(
      change(text, (operation) => page.setArgument(page.find(operation, ['cvms']), ...set)),
      want,
    );
  });
}

test('each field of the schema can be checked and unchecked', () => {
  let checked = 0;
  const visit = (above, type) => {
    for (const choice of page.choicesOf(schema, type)) {
      const choices = [...above, choice];
      const steps = choices.map(({ step }) => step);
      const text = change('', (operation) => page.add('', operation, choices));
      assert.deepEqual(page.validate(schema, page.parse(text)), [], text);
      const without = change(text, (operation) => page.remove(text, operation, steps));
      assert.deepEqual(page.validate(schema, page.parse(without)), [], without);
      assert.equal(page.find(page.readOperation(without), steps), null, without);
      checked++;
      if (page.isCompositeType(choice.type)) {
        visit(choices, choice.type);
      }
    }
  };
  visit([], schema.getQueryType());
  assert.ok(checked > 400, `${checked} fields`);
});

/** Applies an edit to operation A, or to the only operation. */
function change(text, edit) {
  const made = edit(page.readOperation(text, 'A'));
  return made ? text.slice(0, made.start) + made.text + text.slice(made.end) : text;
}

function choicesAt(steps) {
  let type = schema.getQueryType();
  return steps.map((step) => {
    const choice = page.choicesOf(schema, type).find((each) => each.step === step);
    type = choice.type;
    return choice;
  });
}

/** Builds a module with Vite, and imports it. */
async function built(entry) {
  const [{ output }] = await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    build: { write: false, minify: false, lib: { entry, formats: ['es'], fileName: 'built' } },
  });
  return import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
}
