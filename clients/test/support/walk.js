// The judge of walks over a list that changes.

import assert from 'node:assert/strict';
import { endpoint, fresh } from './gateway.js';

/** The size of a page in a walk: the demo's changing list of about 80 CVMs has some 20 of them. */
export const pageSize = 4;

/**
 * Runs walk over a list that changes five times before each answer, and asserts that what walk returns, the ids of the list that it
 * built, has every CVM that stayed exactly once. walk gets a bearer token, which no other walk has. Clients merge what comes twice, so
 * what came over the wire is judged as well: their requests are seen in the global fetch, which must be theirs.
 */
export async function assertExactlyOnce(t, walk) {
  const token = fresh('changing-');
  const before = await whole(token);
  const wire = watch(t);
  const built = await walk(token);
  wire.stop();
  const after = await whole(token);

  const stayed = [...before].filter((id) => after.has(id));
  const sent = wire.answers.flatMap(({ data }) => (data.cvms.edges ?? data.cvms.nodes).map((item) => (item.node ?? item).id));
  const realigned = wire.answers.flatMap(({ extensions }) => extensions?.pagination ?? []);
  t.diagnostic(`of ${before.size} CVMs ${stayed.length} stayed; ${after.size} are there in the end; ` +
    `${realigned.length} of ${wire.answers.length} pages were re-aligned`);

  assert.ok(stayed.length >= 30, `only ${stayed.length} CVMs stayed`);
  assert.ok(stayed.length < before.size, 'no CVM went: the list did not change');
  assert.ok(stayed.length < after.size, 'no CVM came: the list did not change');
  assert.ok(wire.answers.length >= 15, `only ${wire.answers.length} pages`);
  assert.ok(realigned.length > 0, 'the list never moved between two pages');
  assert.deepEqual(twice(sent), [], 'came over the wire twice');
  assert.deepEqual(twice(built), [], 'stand in the list twice');
  assert.deepEqual(stayed.filter((id) => !built.includes(id)), [], 'stayed, and are not in the list');
  assert.deepEqual(new Set(built), new Set(sent), 'the list is what came over the wire');
  assert.deepEqual(realigned.filter(({ exact }) => !exact), []);
}

const twice = (ids) => ids.filter((id, i) => ids.indexOf(id) !== i);

/** The ids of a whole list of the demo as it is at one moment: one call, of a page that holds all of it. */
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

/** Keeps the answers that the global fetch brings, those whose data has what is looked for, until it is stopped. */
export function watch(t, has = ({ cvms }) => cvms) {
  const original = globalThis.fetch;
  const answers = [];
  const mocked = t.mock.method(globalThis, 'fetch', async (...args) => {
    const response = await original(...args);
    const answer = await response.clone().json();
    if (answer.data && has(answer.data)) answers.push(answer);
    return response;
  });
  return { answers, stop: () => mocked.mock.restore() };
}

/**
 * Refreshes a list of a bearer token that begins with "changing-", and asserts that it has the statuses that came over the wire, one
 * request each time, in the order that it had. list returns its CVMs as they are shown, with id and status.
 */
export async function assertRefreshes(t, list, refresh) {
  const before = list();
  const ids = before.map(({ id }) => id);
  assert.ok(ids.length >= 50, `only ${ids.length} CVMs`);
  const wire = watch(t, ({ nodes }) => nodes);
  const known = new Map(before.map(({ id, status }) => [id, status]));
  let turns = 0;
  // Not every change is one of the status.
  for (; turns < 20 && before.every(({ id, status }) => known.get(id) === status); turns++) {
    await refresh(ids);
    for (const node of wire.answers.at(-1).data.nodes) if (node) known.set(node.id, node.status);
  }
  wire.stop();
  assert.equal(wire.answers.length, turns);
  assert.ok(before.some(({ id, status }) => known.get(id) !== status), 'no status changed');
  await until(() => list().every(({ id, status }) => known.get(id) === status), 'the list up to date');
  assert.deepEqual(list().map(({ id }) => id), ids);
}

/** Waits until a condition holds, and returns what it returned. */
export async function until(condition, what) {
  for (const begun = Date.now(); Date.now() - begun < 20_000; ) {
    const value = condition();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`waited in vain: ${what}`);
}
