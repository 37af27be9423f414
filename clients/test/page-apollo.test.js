// docs/clients/apollo.md

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gql } from '@apollo/client';
import { filter, firstValueFrom } from 'rxjs';
import { createClient } from '../apollo/client.js';
import { codesOf, CVMS, next, previous, refresh, reload } from '../apollo/cvms.js';
import { assertCvms, endpoint, fresh, persistence, recordingFetch, rejectedToken } from './support/gateway.js';
import { assertExactlyOnce, assertRefreshes, assertReloads, pageSize, until } from './support/walk.js';

const create = (token, options) => createClient({ uri: endpoint, headers: { authorization: `Bearer ${token}` }, ...options });

/** Opens a list with its first page, and watches it until the test ends. */
async function open(t, client, variables) {
  const list = client.watchQuery({ query: CVMS, variables });
  const watching = list.subscribe(() => {});
  t.after(() => watching.unsubscribe());
  await firstValueFrom(list.pipe(filter(({ loading }) => !loading)));
  return list;
}

const edges = (list) => list.getCurrentResult().data.cvms.edges;
const ids = (list) => edges(list).map(({ node }) => node.id);

/** Fetches a page, and waits until the watched list has it. */
async function load(list, variables) {
  const before = list.getCurrentResult().data.cvms;
  await list.fetchMore({ variables });
  await firstValueFrom(list.pipe(filter(({ data, loading }) => !loading && data.cvms !== before)));
}

async function walk(list, more) {
  for (let variables; (variables = more(list.getCurrentResult().data.cvms, pageSize)); ) await load(list, variables);
  return ids(list);
}

for (const byGET of [false, true]) {
  const method = byGET ? 'GET' : 'POST';

  test(`forward, by ${method}: every CVM that remains, exactly once`, (t) =>
    assertExactlyOnce(t, async (token) => walk(await open(t, create(token, { byGET }), { first: pageSize }), next)));

  test(`backward, by ${method}: every CVM that remains, exactly once`, (t) =>
    assertExactlyOnce(t, async (token) => walk(await open(t, create(token, { byGET }), { last: pageSize }), previous)));
}

test('lists with different filters are separate', async (t) => {
  const client = create(fresh('token'));
  const all = await open(t, client, { first: 5 });
  const some = await open(t, client, { first: 5, nodeId: 18 });
  const [before, few] = [ids(all), ids(some)];
  await load(some, next(some.getCurrentResult().data.cvms, 5));
  assert.equal(ids(some).length, 10);
  assert.deepEqual(ids(some).slice(0, 5), few);
  assert.deepEqual(ids(all), before);
  assert.notDeepEqual(few, before);
});

test('a list that is fetched again has only its first page', async (t) => {
  const list = await open(t, create(fresh('token')), { first: 5 });
  const first = ids(list);
  await load(list, next(list.getCurrentResult().data.cvms, 5));
  assert.equal(ids(list).length, 10);
  await list.refetch();
  await until(() => ids(list).length === 5, 'the first page alone');
  assert.ok(ids(list).filter((id) => first.includes(id)).length >= 3, 'the first page, except for recent changes');
});

test('a refresh updates the list with one request and keeps its order', async (t) => {
  const client = create(fresh('changing-'));
  const list = await open(t, client, { first: 80 });
  await assertRefreshes(t, () => edges(list).map(({ node }) => node), (ids) => refresh(client, ids));
});

test('a reload leaves no removed CVM and shows new ones', async (t) => {
  const list = await open(t, create(fresh('changing-')), { first: 20 });
  await load(list, next(list.getCurrentResult().data.cvms, 20));
  await load(list, next(list.getCurrentResult().data.cvms, 20));
  await assertReloads(t, () => ids(list), () => reload(list.refetch.bind(list), list.getCurrentResult().data.cvms));
});

for (const [byGET, wire] of [
  [false, ['POST hash', 'POST hash query', 'POST hash']],
  [true, ['GET hash', 'GET hash query', 'GET hash']],
]) {
  test(`persisted queries by ${byGET ? 'GET' : 'POST'}: the query goes over the wire once`, async (t) => {
    const { fetch, calls } = recordingFetch();
    t.mock.method(globalThis, 'fetch', fetch);
    const client = create(fresh('token'), { byGET });
    const query = gql`query ${fresh('Persisted')}($first: Int) { cvms(first: $first) { nodes { id name } } }`;
    for (const first of [2, 3]) {
      const { data } = await client.query({ query, variables: { first }, fetchPolicy: 'network-only' });
      assertCvms(data.cvms.nodes, first);
    }
    assert.deepEqual(calls.map(persistence), wire);
  });
}

for (const byGET of [false, true]) {
  test(`errors by ${byGET ? 'GET' : 'POST'} have codes, and a failed page does not change the list`, async (t) => {
    const rejected = (promise) => promise.then(() => assert.fail('no error'), codesOf);
    assert.deepEqual(await rejected(create(rejectedToken, { byGET }).query({ query: CVMS })), ['UNAUTHENTICATED']);
    assert.deepEqual(await rejected(create('t', { uri: 'http://127.0.0.1:1/graphql', byGET }).query({ query: CVMS })), ['NETWORK']);
    const list = await open(t, create(fresh('token'), { byGET }), { first: 5 });
    const before = assertCvms(edges(list).map(({ node }) => node), 5);
    assert.deepEqual(await rejected(list.fetchMore({ variables: { first: 5, after: 'no-cursor' } })), ['BAD_USER_INPUT']);
    assert.deepEqual(ids(list), before);
  });
}
