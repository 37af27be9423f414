// The gateway under test, and what the tests ask of it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

const given = process.env.GATEWAY_URL;
if (!given) {
  throw new Error('GATEWAY_URL is missing: it must name a gateway that runs with --demo, such as http://127.0.0.1:8080');
}
const base = given.replace(/\/+$/, '');

await fetch(`${base}/healthz`).then(
  (response) => assert.equal(response.status, 200, `${base}/healthz answers with ${response.status}: no gateway there?`),
  (error) => assert.fail(`nothing answers at GATEWAY_URL=${given}: ${error.cause?.message ?? error.message}`),
);

export const endpoint = `${base}/graphql`;
export const schemaURL = `${base}/schema.graphql`;

/** A bearer token that the demo upstream refuses with 401. */
export const refusedToken = 'invalid';

/** n fields that differ by their alias alone. */
export const aliases = (n, prefix = 'alias') => Array.from({ length: n }, (_, i) => `${prefix}_${i}: __typename`).join(' ');

/** A bearer token, or an operation's name, that no run has used before: it is new to the gateway. */
export const fresh = (prefix) => `${prefix}_${randomBytes(6).toString('hex')}`;

/**
 * A fetch that keeps what went over the wire: the method, the GraphQL parameters with the same shape for GET and POST, the status,
 * the media type and the headers of the answer.
 */
export function recordingFetch() {
  const calls = [];
  const original = globalThis.fetch;
  const recording = async (input, init = {}) => {
    const call = { method: init.method ?? 'GET', params: parameters(String(input), init) };
    calls.push(call);
    const response = await original(input, init);
    call.status = response.status;
    call.media = response.headers.get('content-type').split(';')[0];
    call.headers = response.headers;
    return response;
  };
  return { fetch: recording, calls };
}

function parameters(url, init) {
  if (init.body !== undefined && init.body !== null) return JSON.parse(init.body);
  const params = Object.fromEntries(new URL(url).searchParams);
  for (const name of ['variables', 'extensions']) {
    if (name in params) params[name] = JSON.parse(params[name]);
  }
  return params;
}

/** What a call was, in terms of automatic persisted queries: its method, and which of hash and query it had. */
export const persistence = ({ method, params }) =>
  [method, params.extensions?.persistedQuery && 'hash', params.query && 'query'].filter(Boolean).join(' ');

/** Asserts n nodes that look like the demo's CVMs, with ids of their own, and returns the ids. */
export function assertCvms(nodes, n) {
  assert.equal(nodes.length, n);
  const ids = nodes.map((node) => node.id);
  assert.equal(new Set(ids).size, n, 'ids are distinct');
  for (const node of nodes) {
    assert.match(node.id, /^[\w-]{8,}$/);
    assert.match(node.name, /^[a-z][a-z0-9-]{4,62}$/i);
  }
  return ids;
}

/** Asserts exactly one error of this code, at this path where one is given, and returns it. */
export function assertError(errors, code, path) {
  assert.equal(errors.length, 1, JSON.stringify(errors));
  const [error] = errors;
  assert.equal(error.extensions.code, code, JSON.stringify(error));
  assert.ok(error.message.length > 10, error.message);
  if (path) assert.deepEqual(error.path, path);
  return error;
}
