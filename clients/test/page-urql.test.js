// docs/clients/urql.md

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '../urql/client.js';
import { codesOf, CVMS, next, previous, refresh, reload } from '../urql/cvms.js';
import { assertCvms, endpoint, fresh, rejectedToken } from './support/gateway.js';
import { assertExactlyOnce, assertRefreshes, assertReloads, pageSize, watch } from './support/walk.js';

const create = (token, url = endpoint) => createClient({ url, headers: { authorization: `Bearer ${token}` } });
const ids = ({ edges }) => edges.map(({ node }) => node.id);

/** Loads a page, and returns all cached pages of the list. */
async function load(client, variables) {
  const { data, error } = await client.query(CVMS, variables);
  assert.ifError(error);
  return data.cvms;
}

async function walk(t, token, range, more) {
  t.mock.method(console, 'warn', (...words) => assert.fail(`urql warning: ${words.join(' ')}`));
  const client = create(token);
  let list = await load(client, range);
  for (let variables; (variables = more(list, pageSize)); ) list = await load(client, variables);
  return ids(list);
}

test('forward: every CVM that remains, exactly once', (t) =>
  assertExactlyOnce(t, (token) => walk(t, token, { first: pageSize }, next)));

test('backward: every CVM that remains, exactly once', (t) =>
  assertExactlyOnce(t, (token) => walk(t, token, { last: pageSize }, previous)));

test('lists with different filters are separate', async () => {
  const client = create(fresh('token'));
  const all = ids(await load(client, { first: 5 }));
  const few = await load(client, { first: 5, nodeId: 18 });
  const more = await load(client, { ...next(few, 5), nodeId: 18 });
  assert.equal(more.edges.length, 10);
  assert.deepEqual(ids(more).slice(0, 5), ids(few));
  assert.deepEqual(ids(await load(client, { first: 5 })), all);
  assert.notDeepEqual(ids(few), all);
});

test('a refresh updates the list with one request and keeps its order', async (t) => {
  const client = create(fresh('changing-'));
  let list = await load(client, { first: 80 });
  const watching = client.query(CVMS, { first: 80 }, { requestPolicy: 'cache-only' }).subscribe(({ data }) => (list = data.cvms));
  t.after(() => watching.unsubscribe());
  await assertRefreshes(t, () => list.edges.map(({ node }) => node), (ids) => refresh(client, ids), { removes: false });
});

test('a reload leaves no removed CVM and shows new ones, and the list goes on', async (t) => {
  const client = create(fresh('changing-'));
  let list = await load(client, { first: 20 });
  list = await load(client, next(list, 20));
  const filtered = await load(client, { first: 5, nodeId: 18 });
  assert.equal(list.edges.length, 40);
  await assertReloads(t, () => ids(list), async () => (list = (await reload(client, list)).data.cvms));
  assert.equal(list.edges.length, 40);
  list = await load(client, next(list, 20));
  assert.equal(list.edges.length, 60);
  const calls = watch(t);
  assert.deepEqual(ids(await load(client, { first: 5, nodeId: 18 })), ids(filtered), 'another list is still cached');
  calls.stop();
  assert.equal(calls.responses.length, 0);
});

test('errors have codes, and a failed page does not change the list', async () => {
  const failed = async (client, variables) => codesOf((await client.query(CVMS, variables)).error);
  assert.deepEqual(await failed(create(rejectedToken), {}), ['UNAUTHENTICATED']);
  assert.deepEqual(await failed(create('t', 'http://127.0.0.1:1/graphql'), {}), ['NETWORK']);
  const client = create(fresh('token'));
  const list = await load(client, { first: 5 });
  assertCvms(list.edges.map(({ node }) => node), 5);
  assert.deepEqual(await failed(client, { first: 5, after: 'no-cursor' }), ['BAD_USER_INPUT']);
  assert.deepEqual(ids(await load(client, { first: 5 })), ids(list));
});
