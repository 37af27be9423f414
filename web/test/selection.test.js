// What the page's panel of fields does to the text of an operation.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { before, test } from 'node:test';
import { build } from 'vite';

let page; // what the entry exports
let schema;

before(async () => {
  page = await built(path.join(import.meta.dirname, 'selection.entry.ts'));
  schema = page.buildSchema(await readFile(path.join(import.meta.dirname, '../../schema.graphqls'), 'utf8'));
});

for (const [name, { text, tick, want }] of Object.entries({
  'a field goes behind the others, and comments stay': {
    text: '# mine\nquery A { # here\n  cvms(first: 2) {\n    totalCount # all\n    # last\n  }\n}\n',
    tick: ['cvms', 'pageInfo', 'hasNextPage'],
    want: '# mine\nquery A { # here\n  cvms(first: 2) {\n    totalCount # all\n    # last\n    pageInfo {\n      hasNextPage\n    }\n  }\n}\n',
  },
  'a field that has fields gets one': {
    text: '{\n  cvms {\n    totalCount\n  }\n}\n',
    tick: ['cvms', 'nodes'],
    want: '{\n  cvms {\n    totalCount\n    nodes {\n      id\n    }\n  }\n}\n',
  },
  'one line stays one line': {
    text: '{ cvms(first: 1) { nodes { id } } }',
    tick: ['cvms', 'nodes', 'node'],
    want: '{ cvms(first: 1) { nodes { id node { name } } } }',
  },
  'one line without spaces': {
    text: '{cvms{totalCount}}',
    tick: ['cvms', 'nodes'],
    want: '{cvms{totalCount nodes { id } }}',
  },
  'a required argument is there, empty': {
    text: '{\n  cvms {\n    totalCount\n  }\n}\n',
    tick: ['node', '... on Cvm', 'name'],
    want: '{\n  cvms {\n    totalCount\n  }\n  node(id: "") {\n    ... on Cvm {\n      name\n    }\n  }\n}\n',
  },
  'a list is empty, too': {
    text: '{ cvm(vmId: "x") { id } }',
    tick: ['nodes'],
    want: '{ cvm(vmId: "x") { id } nodes(ids: []) { id } }',
  },
  'nothing begins an operation': {
    text: '',
    tick: ['cvms', 'totalCount'],
    want: 'query Selected {\n  cvms {\n    totalCount\n  }\n}\n',
  },
  'comments alone are nothing': {
    text: '# To do',
    tick: ['cvms', 'totalCount'],
    want: '# To do\nquery Selected {\n  cvms {\n    totalCount\n  }\n}\n',
  },
  'what stood in for fields goes': {
    text: '{\n  __typename\n}',
    tick: ['cvms', 'totalCount'],
    want: '{\n  cvms {\n    totalCount\n  }\n}',
  },
  'a field without its braces gets them': {
    text: 'query A {\n  cvms(first: 1)\n}',
    tick: ['cvms', 'nodes', 'name'],
    want: 'query A {\n  cvms(first: 1) {\n    nodes {\n      name\n    }\n  }\n}',
  },
  'an alias is its field': {
    text: '{ mine: cvms { totalCount } }',
    tick: ['cvms', 'totalCount'],
    want: '{ mine: cvms { __typename } }',
  },
  'a ticked field goes with its line and its comment': {
    text: '{\n  cvms {\n    # above\n    totalCount # beside\n    nodes { id }\n  }\n}\n',
    tick: ['cvms', 'totalCount'],
    want: '{\n  cvms {\n    # above\n    nodes { id }\n  }\n}\n',
  },
  'a ticked field goes from a line of several': {
    text: '{ cvms { totalCount, nodes { id } } }',
    tick: ['cvms', 'totalCount'],
    want: '{ cvms { nodes { id } } }',
  },
  'a ticked field goes with all that is in it': {
    text: '{\n  cvms {\n    totalCount\n    nodes {\n      id\n    }\n  }\n}\n',
    tick: ['cvms', 'nodes'],
    want: '{\n  cvms {\n    totalCount\n  }\n}\n',
  },
  'the last field leaves its parent': {
    text: '{ cvms(first: 3) { totalCount } }',
    tick: ['cvms', 'totalCount'],
    want: '{ cvms(first: 3) { __typename } }',
  },
  'the named one of several operations': {
    text: 'query B { cvms { totalCount } }\nquery A { cvms { totalCount } }',
    tick: ['cvms', 'nodes', 'id'],
    want: 'query B { cvms { totalCount } }\nquery A { cvms { totalCount nodes { id } } }',
  },
})) {
  test(`ticking: ${name}`, () => {
    const got = change(text, (operation) =>
      page.find(operation, tick) ? page.remove(text, operation, tick) : page.add(text, operation, choicesAt(tick)),
    );
    assert.equal(got, want);
    assert.deepEqual(page.validate(schema, page.parse(want)), []);
  });
}

for (const [name, { text, set, want }] of Object.entries({
  'the first one gets brackets': {
    text: '{ cvms { totalCount } }',
    set: ['first', '3'],
    want: '{ cvms(first: 3) { totalCount } }',
  },
  'another one follows': {
    text: '{ cvms(first: 3) { totalCount } }',
    set: ['after', '"x"'],
    want: '{ cvms(first: 3, after: "x") { totalCount } }',
  },
  'one that is there changes': {
    text: '{ cvms(first: $n, after: "x") { totalCount } }',
    set: ['first', '4'],
    want: '{ cvms(first: 4, after: "x") { totalCount } }',
  },
  'the only one goes with its brackets': {
    text: '{ cvms( first: 3 # three\n ) { totalCount } }',
    set: ['first', null],
    want: '{ cvms { totalCount } }',
  },
  'the first of two goes': {
    text: '{ cvms(first: 3, after: "x") { totalCount } }',
    set: ['first', null],
    want: '{ cvms(after: "x") { totalCount } }',
  },
  'the last of two goes': {
    text: '{ cvms(first: 3, after: "x") { totalCount } }',
    set: ['after', null],
    want: '{ cvms(first: 3) { totalCount } }',
  },
  'one that is not there need not go': {
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

test('each field of the schema can be ticked on and off', () => {
  let ticked = 0;
  const visit = (above, type) => {
    for (const choice of page.choicesOf(schema, type)) {
      const choices = [...above, choice];
      const steps = choices.map(({ step }) => step);
      const text = change('', (operation) => page.add('', operation, choices));
      assert.deepEqual(page.validate(schema, page.parse(text)), [], text);
      const without = change(text, (operation) => page.remove(text, operation, steps));
      assert.deepEqual(page.validate(schema, page.parse(without)), [], without);
      assert.equal(page.find(page.readOperation(without), steps), null, without);
      ticked++;
      if (page.isCompositeType(choice.type)) {
        visit(choices, choice.type);
      }
    }
  };
  visit([], schema.getQueryType());
  assert.ok(ticked > 400, `${ticked} fields`);
});

/** Applies an edit of operation A, or of the only one. */
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

/** Builds a module as the page is built, and imports it. */
async function built(entry) {
  const [{ output }] = await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    build: { write: false, minify: false, lib: { entry, formats: ['es'], fileName: 'built' } },
  });
  return import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
}
