// Assertions for traversals of a list that changes.

import assert from 'node:assert/strict';
import { endpoint, fresh } from './gateway.js';

/**
 * The page size of a traversal. The demo's changing list has about 80 CVMs, so it has about 20
 * pages.
 */
export const pageSize = 4;

/**
 * Runs walk on a list that changes five times before each response. walk gets a new bearer token
 * and returns the ids of the list that the client built. Asserts that they contain every CVM that
 * remained in the list exactly once. Clients merge duplicates, so the received responses are
 * checked too. For this, the client must use the global fetch.
 */
export async function assertExactlyOnce(t, walk) {
  const token = fresh('changing-');
  const before = await whole(token);
  const wire = watch(t);
  const built = await walk(token);
  wire.stop();
  const after = await whole(token);

  const stayed = [...before].filter((id) => after.has(id));
  const sent = wire.responses.flatMap(({ data }) => (data.cvms.edges ?? data.cvms.nodes).map((item) => (item.node ?? item).id));
  const realigned = wire.responses.flatMap(({ extensions }) => extensions?.pagination ?? []);
  t.diagnostic(`${before.size} CVMs before, ${stayed.length} of them remained; ${after.size} CVMs after; ` +
    `${realigned.length} of ${wire.responses.length} pages were realigned`);

  assert.ok(stayed.length >= 30, `only ${stayed.length} CVMs remained`);
  assert.ok(stayed.length < before.size, 'no CVM was removed: the list did not change');
  assert.ok(stayed.length < after.size, 'no CVM was added: the list did not change');
  assert.ok(wire.responses.length >= 15, `only ${wire.responses.length} pages`);
  assert.ok(realigned.length > 0, 'no page was realigned');
  assert.deepEqual(twice(sent), [], 'CVMs received twice');
  assert.deepEqual(twice(built), [], 'CVMs twice in the list');
  assert.deepEqual(stayed.filter((id) => !built.includes(id)), [], 'CVMs that remained and are missing in the list');
  assert.deepEqual(new Set(built), new Set(sent), 'the list has all received CVMs');
  assert.deepEqual(realigned.filter(({ exact }) => !exact), []);
}

const twice = (ids) => ids.filter((id, i) => ids.indexOf(id) !== i);

/** Returns the ids of the whole list of the token at one moment, from one upstream page. */
export async function whole(token) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'x-cvmgraph-explain': '1' },
    body: JSON.stringify({ query: '{ cvms(first: 100) { totalCount nodes { id } } }' }),
  });
  const { data, extensions } = await response.json();
  assert.equal(extensions.upstream.calls.length, 1);
  assert.equal(data.cvms.nodes.length, data.cvms.totalCount, 'the list is longer than a page');
  return new Set(data.cvms.nodes.map(({ id }) => id));
}

/** Records the responses to the global fetch whose data satisfies has, until stop is called. */
export function watch(t, has = ({ cvms }) => cvms) {
  const original = globalThis.fetch;
  const responses = [];
  const mocked = t.mock.method(globalThis, 'fetch', async (...args) => {
    const response = await original(...args);
    const result = await response.clone().json();
    if (result.data && has(result.data)) responses.push(result);
    return response;
  });
  return { responses, stop: () => mocked.mock.restore() };
}

/**
 * Refreshes a list until a status changes. Asserts that each refresh takes one request, that the
 * list has the received statuses, and that its order does not change. The bearer token must begin
 * with "changing-". list returns the CVMs on the screen, with id and status.
 */
export async function assertRefreshes(t, list, refresh) {
  const before = list();
  const ids = before.map(({ id }) => id);
  assert.ok(ids.length >= 50, `only ${ids.length} CVMs`);
  const wire = watch(t, ({ nodes }) => nodes);
  const known = new Map(before.map(({ id, status }) => [id, status]));
  let turns = 0;
  // Not every change of the list changes a status.
  for (; turns < 20 && before.every(({ id, status }) => known.get(id) === status); turns++) {
    await refresh(ids);
    for (const node of wire.responses.at(-1).data.nodes) if (node) known.set(node.id, node.status);
  }
  wire.stop();
  assert.equal(wire.responses.length, turns);
  assert.ok(before.some(({ id, status }) => known.get(id) !== status), 'no status changed');
  await until(() => list().every(({ id, status }) => known.get(id) === status), 'the list up to date');
  assert.deepEqual(list().map(({ id }) => id), ids);
}

/** Waits until condition returns a truthy value, and returns that value. */
export async function until(condition, what) {
  for (const begun = Date.now(); Date.now() - begun < 20_000; ) {
    const value = condition();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`timeout waiting for ${what}`);
}
