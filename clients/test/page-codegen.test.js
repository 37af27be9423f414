// docs/clients/codegen.md: the code that graphql-codegen and tsc generate.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { assertCvms, endpoint, fresh, rejectedToken } from './support/gateway.js';
import { runCommands } from './support/pages.js';
import { assertExactlyOnce, pageSize } from './support/walk.js';

let cvms;
let gateway;
before(async () => {
  await runCommands('codegen');
  cvms = await import('../codegen/build/cvms.js');
  gateway = await import('../codegen/build/gateway.js');
});

const as = (token, url = endpoint) => ({ url, headers: { Authorization: `Bearer ${token}` } });

async function collect(cvms) {
  const all = [];
  for await (const cvm of cvms) all.push(cvm);
  return all;
}

test('every CVM that remains, exactly once', (t) =>
  assertExactlyOnce(t, async (token) => (await collect(cvms.everyCvm(as(token), pageSize))).map(({ id }) => id)));

test('selected fields have values, and Int64 is a number', async () => {
  const { cvms: list } = await gateway.execute(as(fresh('token')), cvms.CVMS, { first: 20 });
  assertCvms(list.nodes, 20);
  const events = list.nodes.flatMap(({ hosted }) => hosted?.events ?? []);
  assert.ok(events.length > 0, 'no events');
  for (const { timestamp } of events) assert.ok(timestamp === 0 || timestamp > 2 ** 32, `timestamp is ${timestamp}`);
});

for (const [name, code, token, variables] of [
  ['a rejected token', 'UNAUTHENTICATED', rejectedToken, { first: 1 }],
  ['a page that is too large', 'BAD_USER_INPUT', 'token', { first: 100000 }],
  ['a variable of the wrong type', 'GRAPHQL_VALIDATION_FAILED', 'token', { first: 'ten' }],
]) {
  test(`${name} is a GatewayError with code ${code}`, () =>
    assert.rejects(gateway.execute(as(token), cvms.CVMS, variables), (error) => {
      assert.ok(error instanceof gateway.GatewayError, String(error));
      assert.equal(error.code, code);
      return true;
    }));
}
