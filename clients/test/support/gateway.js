// The gateway under test, and helpers for requests to it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

const given = process.env.GATEWAY_URL;
if (!given) {
  throw new Error('GATEWAY_URL is missing: it must name a gateway that runs with --demo, such as http://127.0.0.1:8080');
}
const base = given.replace(/\/+$/, '');

await fetch(`${base}/healthz`).then(
  (response) => assert.equal(response.status, 200, `${base}/healthz returns ${response.status}: is there a gateway?`),
  (error) => assert.fail(`no response from GATEWAY_URL=${given}: ${error.cause?.message ?? error.message}`),
);

export const endpoint = `${base}/graphql`;
export const schemaURL = `${base}/schema.graphql`;

/** A bearer token that the demo upstream rejects with 401. */
export const rejectedToken = 'invalid';

/** Returns n fields that differ only in their alias. */
export const aliases = (n, prefix = 'alias') => Array.from({ length: n }, (_, i) => `${prefix}_${i}: __typename`).join(' ');

/** Returns a bearer token or operation name that is new to the gateway. */
export const fresh = (prefix) => `${prefix}_${randomBytes(6).toString('hex')}`;

/**
 * Returns a fetch that records its calls: the method, the GraphQL parameters in the same form for
 * GET and POST, and the status, the media type and the headers of the response.
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

/**
 * Describes a call by its method and by its parameters for automatic persisted queries: hash,
 * query, or both.
 */
export const persistence = ({ method, params }) =>
  [method, params.extensions?.persistedQuery && 'hash', params.query && 'query'].filter(Boolean).join(' ');

/** Asserts n CVMs of the demo with distinct ids, and returns the ids. */
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

/**
 * Asserts exactly one error with this code, and with this path if there is one, and returns the
 * error.
 */
export function assertError(errors, code, path) {
  assert.equal(errors.length, 1, JSON.stringify(errors));
  const [error] = errors;
  assert.equal(error.extensions.code, code, JSON.stringify(error));
  assert.ok(error.message.length > 10, error.message);
  if (path) assert.deepEqual(error.path, path);
  return error;
}
