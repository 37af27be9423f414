// The gateway under test, and a proxy before it that keeps what routers send.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { parse } from 'graphql';
import { answer, bodyOf, post, serve } from './serve.js';

const given = process.env.GATEWAY_URL;
if (!given) {
  throw new Error('GATEWAY_URL is missing: it must name a gateway that runs with --demo, such as http://127.0.0.1:8080');
}
export const endpoint = `${given.replace(/\/+$/, '')}/graphql`;

/** A credential that the demo upstream refuses with 401. */
export const refused = { authorization: 'Bearer invalid' };

/** A credential that no run has used before: a list of its own, of which the gateway has kept nothing. */
export const fresh = () => ({ authorization: `Bearer token-${randomBytes(6).toString('hex')}` });

/** Serves the gateway behind a proxy, and returns its URL and the requests: their query, variables, credential, and upstream calls. */
export async function recorded(t) {
  const requests = [];
  const url = await serve(t, async (request, response) => {
    const body = await bodyOf(request);
    const { authorization } = request.headers;
    const got = await post(endpoint, body.query, body.variables, { ...(authorization && { authorization }), 'x-cvmgraph-explain': '1' });
    requests.push({ ...body, authorization, calls: got.extensions?.upstream?.calls.filter((call) => !call.cached && !call.coalesced) });
    answer(response, 200, got);
  });
  return { url, requests };
}

/** The subgraph as a router's composition takes it. */
export async function subgraph(url = endpoint, more = '') {
  const { data, errors } = await post(url, '{ _service { sdl } }');
  assert.equal(errors, undefined);
  return { name: 'cvmgraph', url, typeDefs: parse(data._service.sdl + more) };
}
