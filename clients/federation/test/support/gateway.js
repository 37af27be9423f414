// The gateway under test, and a proxy in front of it that records requests.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { parse } from 'graphql';
import { bodyOf, post, respond, serve } from './serve.js';

const given = process.env.GATEWAY_URL;
if (!given) {
  throw new Error('GATEWAY_URL is missing: it must name a gateway that runs with --demo, such as http://127.0.0.1:8080');
}
export const endpoint = `${given.replace(/\/+$/, '')}/graphql`;

/** A credential that the demo upstream rejects with 401. */
export const rejected = { authorization: 'Bearer invalid' };

/** Returns a new credential. It has its own list, which the gateway has not cached. */
export const fresh = () => ({ authorization: `Bearer token-${randomBytes(6).toString('hex')}` });

/**
 * Starts a proxy to the gateway. Returns its URL and the recorded requests: query, variables,
 * credential, and upstream calls.
 */
export async function recorded(t) {
  const requests = [];
  const url = await serve(t, async (request, response) => {
    const body = await bodyOf(request);
    const { authorization } = request.headers;
    const got = await post(endpoint, body.query, body.variables, { ...(authorization && { authorization }), 'x-cvmgraph-explain': '1' });
    requests.push({ ...body, authorization, calls: got.extensions?.upstream?.calls.filter((call) => !call.cached && !call.coalesced) });
    respond(response, 200, got);
  });
  return { url, requests };
}

/** Returns the subgraph for a router's composition. */
export async function subgraph(url = endpoint, more = '') {
  const { data, errors } = await post(url, '{ _service { sdl } }');
  assert.equal(errors, undefined);
  return { name: 'cvmgraph', url, typeDefs: parse(data._service.sdl + more) };
}
