// Assertions for traversals of a list that changes.

import assert from 'node:assert/strict';
import path from 'node:path';
import { endpoint } from './gateway.js';

/**
 * The page size of a traversal. The demo's changing list has about 80 CVMs, so it has about 20
 * pages.
 */
export const pageSize = 4;

/**
 * Runs walk on a list that changes five times before each response. walk gets a bearer token of its
 * own, with the same changes in each run, and returns the ids of the list that the client built.
 * Asserts that they contain every CVM that remained in the list exactly once. Clients merge
 * duplicates, so the received responses are checked too. For this, the client must use the global
 * fetch.
 */
export async function assertExactlyOnce(t, walk) {
  const token = `changing-${path.basename(process.argv[1])}-${t.name.replace(/\W+/g, '-')}`;
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
  const responses = [];
  const requests = [];
  const watcher = async (response, options) => {
    const result = await response.clone().json();
    if (!result.data || !has(result.data)) return;
    responses.push(result);
    requests.push(options);
  };
  watchers.add(watcher);
  const stop = () => watchers.delete(watcher);
  t.after(stop);
  return { responses, requests, stop };
}

// Mocks of fetch in each other would not be restored in the right order.
const watchers = new Set();
const { fetch } = globalThis;
globalThis.fetch = async (url, options) => {
  const response = await fetch(url, options);
  await Promise.all([...watchers].map((watcher) => watcher(response, options)));
  return response;
};

/**
 * Refreshes a list until a status changes. Asserts that each refresh takes one request, that the
 * list has the received statuses, that its order does not change, and that removed CVMs disappear,
 * unless the client does not remove them. The bearer token must begin with "changing-". list
 * returns the CVMs on the screen, with id and status.
 */
export async function assertRefreshes(t, list, refresh, { removes = true } = {}) {
  const before = list();
  const ids = before.map(({ id }) => id);
  assert.ok(ids.length >= 50, `only ${ids.length} CVMs`);
  const wire = watch(t, ({ nodes }) => nodes);
  const known = new Map(before.map(({ id, status }) => [id, status]));
  const gone = new Set();
  let turns = 0;
  // Not every change of the list changes a status.
  for (; turns < 20 && before.every(({ id, status }) => known.get(id) === status); turns++) {
    await refresh(ids);
    wire.responses.at(-1).data.nodes.forEach((node, i) => (node ? known.set(node.id, node.status) : gone.add(ids[i])));
  }
  wire.stop();
  assert.equal(wire.responses.length, turns);
  assert.ok(before.some(({ id, status }) => known.get(id) !== status), 'no status changed');
  const left = ids.filter((id) => !removes || !gone.has(id));
  await until(() => list().length === left.length && list().every(({ id, status }) => known.get(id) === status), 'the list up to date');
  assert.deepEqual(list().map(({ id }) => id), left);
}

/**
 * Reloads a list of a token that begins with "changing-" until a CVM was added and another one was
 * removed. Asserts that each reload takes one request, and that the list is what it returned. ids
 * returns the ids on the screen.
 */
export async function assertReloads(t, ids, reload) {
  const before = ids();
  const wire = watch(t);
  let changes = [];
  for (let turns = 1; turns <= 20 && !(changes.length === 2); turns++) {
    await reload();
    await until(() => wire.responses.length >= turns, 'the response');
    assert.equal(wire.responses.length, turns);
    const sent = wire.responses.at(-1).data.cvms.edges.map(({ node }) => node.id);
    await until(() => String(ids()) === String(sent), 'the list as received');
    const [added, removed] = [sent.find((id) => !before.includes(id)), before.find((id) => !sent.includes(id))];
    changes = [added, removed].filter(Boolean);
  }
  wire.stop();
  assert.equal(changes.length, 2, 'no CVM was added, or none was removed');
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
