// Compares the gateway with graphql-js: values in positions, random documents, and introspection.
// DIFFERENTIAL_SEED chooses other random documents.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getIntrospectionQuery } from 'graphql';
import { endpoint, schemaURL } from './support/gateway.js';
import { cells } from './support/differential/cells.js';
import { difference, send } from './support/differential/compare.js';
import { differences } from './support/differential/differences.js';
import { generator, requests } from './support/differential/documents.js';
import { ownDescriptions, reference, run } from './support/differential/reference.js';

const seed = Number(process.env.DIFFERENTIAL_SEED ?? 1);
const documents = 6000;
const concurrency = 8;
const shown = 10; // differences that a failure shows

const graphqlJS = reference(await fetch(schemaURL).then((response) => response.text()));
const occurred = new Set(); // names of differences

/** Sends requests, and fails if a response differs. Returns the number of requests by outcome. */
async function compare(list) {
  const outcomes = {};
  const unexpected = [];
  const queue = list.values();
  const work = async () => {
    for (const request of queue) {
      const expected = run(graphqlJS, request);
      outcomes[expected.outcome] = (outcomes[expected.outcome] ?? 0) + 1;
      const response = await send(endpoint, request);
      const different = difference(expected, response);
      if (!different) continue;
      const intended = Object.keys(differences).find((name) => differences[name](request, expected, response));
      if (intended) occurred.add(intended);
      else unexpected.push({ different, request, expected: describe(expected), got: response.text.slice(0, 500) });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  assert.equal(unexpected.length, 0, JSON.stringify(unexpected.slice(0, shown), null, 2));
  return outcomes;
}

const describe = ({ outcome, errors, data }) => ({ outcome, errors: errors.map(({ message, locations }) => ({ message, locations })), data });

/** Asserts that at least a share of all requests has each of the outcomes. */
function assertShares(outcomes, total, least) {
  for (const [outcome, share] of Object.entries(least)) {
    assert.ok(outcomes[outcome] >= share * total, `${JSON.stringify(outcomes)}: ${outcome} is rarer than ${share} of ${total}`);
  }
}

test('a value in a position is accepted, coerced or rejected as by graphql-js', async (t) => {
  const all = cells((query) => ['executed', 'rejected'].includes(run(graphqlJS, { query, variables: '{}' }).outcome));
  const distinct = new Set(all.map(({ query, variables }) => `${query} ${variables}`));
  const outcomes = await compare(all);
  t.diagnostic(`${distinct.size} cells: ${JSON.stringify(outcomes)}`);
  assert.ok(distinct.size >= 5000, `${distinct.size} cells`);
  assertShares(outcomes, all.length, { executed: 0.2, invalid: 0.2, rejected: 0.2 });
});

test(`a random document is executed or rejected as by graphql-js, seed ${seed}`, async (t) => {
  const next = requests(graphqlJS.schema, generator(seed));
  const outcomes = await compare(Array.from({ length: documents }, next));
  t.diagnostic(`${documents} documents: ${JSON.stringify(outcomes)}`);
  assertShares(outcomes, documents, { executed: 0.1, invalid: 0.2, syntax: 0.2, rejected: 0.02 });
});

test('introspection returns the schema of graphql-js, field by field', async () => {
  const options = { specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true, oneOf: true };
  assert.deepEqual(await compare([{ query: getIntrospectionQuery(options) }, { query: kinds }]), { executed: 2 });
});

test('descriptions of built-in types that differ', async () => {
  for (const [name, description] of Object.entries(ownDescriptions)) {
    const { body } = await send(endpoint, { query: `{ __type(name: "${name}") { description } }` });
    assert.notEqual(body.data.__type.description, description, `${name}: this exception is no longer needed`);
  }
});

// Each field of __Type for each kind of type, with the wrapping types.
const kinds = `{ __schema { types { ...T all: fields(includeDeprecated: true) { type { ...T ofType { ...T ofType { ...T } } } args { type { ...T } } } } } }
  fragment T on __Type { __typename kind name description specifiedByURL isOneOf
    fields { name } interfaces { name } possibleTypes { name } enumValues { name } inputFields { name } ofType { name } }`;

test('each intended difference occurs', () => {
  assert.deepEqual(Object.keys(differences).filter((name) => !occurred.has(name)), []);
});
