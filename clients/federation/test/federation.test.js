// The gateway as a subgraph: composed with others by @apollo/composition, and served by two
// routers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { composeServices } from '@apollo/composition';
import { endpoint, fresh, recorded, rejected, subgraph } from './support/gateway.js';
import { routers } from './support/routers.js';
import { post } from './support/serve.js';
import { alertCount, alerts, inventory, notes, started } from './support/subgraphs.js';

/** node and nodes, for a graph in which all ids are ids of this gateway. */
const lookups = 'extend type Query { node(id: ID!): Node nodes(ids: [ID!]!): [Node]! }';

function composed(...subgraphs) {
  const { supergraphSdl, errors } = composeServices(subgraphs.map((s) => ({ url: `http://${s.name}.invalid`, ...s })));
  assert.equal(errors, undefined, errors?.map((e) => e.message).join('\n'));
  return supergraphSdl;
}

for (const [name, others] of [
  ['alone', []],
  ['with a service that has the UUID', [alerts]],
  ['with a service that has the id', [notes]],
  ['with another Relay server', [inventory]],
  ['with all of them', [alerts, notes, inventory]],
]) {
  test(`it composes ${name}`, async () => {
    const supergraph = composed(await subgraph(), ...others);
    assert.match(supergraph, /type Cvm implements Node\s+@join__implements/);
  });
}

test('it composes with its own node and nodes only if no other subgraph has them', async () => {
  const own = await subgraph(endpoint, lookups);
  composed(own, alerts, notes);
  const { errors } = composeServices([own, { url: 'http://inventory.invalid', ...inventory }]);
  assert.deepEqual([...new Set(errors.map((e) => e.extensions.code))], ['INVALID_FIELD_SHARING']);
});

/** Returns the first CVMs with a VM, queried from the gateway directly. */
async function first(count, credential) {
  const { data } = await post(endpoint, `{ cvms(first: ${2 * count + 10}) { nodes { id vmId name vcpu } } }`, {}, credential);
  const cvms = data.cvms.nodes.filter(({ vmId }) => vmId).slice(0, count);
  assert.equal(cvms.length, count);
  return cvms;
}

for (const [name, start] of Object.entries(routers)) {
  const graph = async (t) => {
    const gateway = await recorded(t);
    const others = await Promise.all([alerts, notes, inventory].map((s) => started(t, s)));
    const url = await start(t, composed(await subgraph(gateway.url), ...others));
    gateway.requests.length = 0;
    const ask = (query, variables, credential) => post(url, query, variables, credential);
    return { ask, gateway: gateway.requests, ...Object.fromEntries(others.map((s) => [s.name, s.requests])) };
  };
  /**
   * Asserts that the gateway got one request with these representations and this credential, and
   * made at most these calls.
   */
  const assertOneRequest = (requests, { representations = 0, credential, calls }) => {
    assert.equal(requests.length, 1, JSON.stringify(requests));
    const [request] = requests;
    const given = Object.values(request.variables ?? {}).find((value) => value?.[0]?.__typename === 'Cvm') ?? [];
    assert.equal(given.length, representations);
    assert.equal(request.authorization, credential.authorization);
    assert.ok(request.calls.length <= calls, `${request.calls.length} upstream calls, want at most ${calls}`);
  };

  test(`${name}: fields of other services on cvms, by vmId and by id`, async (t) => {
    const credential = fresh();
    const { ask, gateway, alerts, notes } = await graph(t);
    const { data, errors } = await ask(
      '{ cvms(first: 40) { totalCount nodes { name vmId id alertCount note } pageInfo { hasNextPage } } }', {}, credential,
    );
    assert.equal(errors, undefined, JSON.stringify(errors));
    const { nodes, pageInfo, totalCount } = data.cvms;
    assert.deepEqual([nodes.length, pageInfo.hasNextPage, totalCount > 40], [40, true, true]);
    for (const { name, id, vmId, alertCount: count, note } of nodes) {
      assert.match(name, /^[a-z][a-z0-9-]{4,62}$/);
      assert.equal(note, `note of ${id}`);
      assert.equal(count, vmId === null ? null : alertCount(vmId));
    }
    assert.ok(nodes.filter(({ vmId }) => vmId).length > 20);
    assertOneRequest(gateway, { credential, calls: 1 });
    assert.deepEqual([alerts.length, notes.length], [1, 1], 'each service gets one request for all CVMs');
  });

  for (const [key, query, variables] of [
    ['vmId', 'query($of: [ID!]!) { alerts(vmIds: $of) { message cvm { id vmId name vcpu } } }', (cvm) => cvm.vmId],
    ['id', 'query($of: [ID!]!) { noted(ids: $of) { note id vmId name vcpu } }', (cvm) => cvm.id],
  ]) {
    test(`${name}: CVMs by ${key} in one request, and null for unknown ones`, async (t) => {
      const credential = fresh();
      const want = await first(25, credential);
      const unknown = { vmId: '00000000-0000-4000-8000-000000000000', id: 'Q3ZtOm5vbmU' }[key];
      const { ask, gateway } = await graph(t);
      const { data, errors } = await ask(query, { of: [...want.map(variables), unknown] }, credential);
      // A router can report that an unknown CVM has no id. The gateway must not report an error.
      assert.deepEqual((errors ?? []).filter((e) => e.extensions?.code), [], JSON.stringify(errors));
      const got = (data.alerts ?? data.noted).map((found) => ('cvm' in found ? found.cvm : found));
      assert.deepEqual(got.slice(0, 25).map(({ id, vmId, name, vcpu }) => ({ id, vmId, name, vcpu })), want);
      assert.equal(got[25]?.name ?? null, null);
      // Only a search of the whole list shows that a CVM does not exist.
      assertOneRequest(gateway, { representations: 26, credential, calls: 5 });
      gateway.length = 0;
      await ask(query, { of: want.slice(3, 5).map(variables) }, credential);
      assertOneRequest(gateway, { representations: 2, credential, calls: 1 });
    });
  }

  test(`${name}: node and nodes of the other server return CVMs`, async (t) => {
    const credential = fresh();
    const [cvm] = await first(1, credential);
    const { ask, gateway } = await graph(t);
    const query = `query($id: ID!) {
      cvm: node(id: $id) { __typename id ... on Cvm { name vcpu vmId } }
      nodes(ids: ["rack-2", $id]) { __typename ... on Rack { label } ... on Cvm { name } }
      racks(first: 2) { nodes { id } pageInfo { hasNextPage } }
    }`;
    const { data, errors } = await ask(query, { id: cvm.id }, credential);
    assert.equal(errors, undefined, JSON.stringify(errors));
    assert.deepEqual(data, {
      cvm: { __typename: 'Cvm', ...cvm },
      nodes: [{ __typename: 'Rack', label: 'R2' }, { __typename: 'Cvm', name: cvm.name }],
      racks: { nodes: [{ id: 'rack-1' }, { id: 'rack-2' }], pageInfo: { hasNextPage: true } },
    });
    assert.ok(gateway.length >= 1 && gateway.every(({ query }) => query.includes('_entities')), JSON.stringify(gateway));
  });

  test(`${name}: the gateway resolves node and nodes if no other server has them`, async (t) => {
    const credential = fresh();
    const [a, b] = await first(2, credential);
    const gateway = await recorded(t);
    const url = await start(t, composed(await subgraph(gateway.url, lookups), await started(t, alerts)));
    const query = 'query($a: ID!, $b: ID!) { node(id: $a) { id ... on Cvm { name alertCount } } nodes(ids: [$b, $a]) { id } }';
    const { data, errors } = await post(url, query, { a: a.id, b: b.id }, credential);
    assert.equal(errors, undefined, JSON.stringify(errors));
    assert.deepEqual(data, {
      node: { id: a.id, name: a.name, alertCount: alertCount(a.vmId) },
      nodes: [{ id: b.id }, { id: a.id }],
    });
  });

  test(`${name}: each caller sees its own list`, async (t) => {
    const [mine, others] = [fresh(), fresh()];
    const { ask } = await graph(t);
    const ids = async (credential) => (await ask('{ cvms(first: 20) { nodes { id alertCount } } }', {}, credential)).data.cvms.nodes.map((n) => n.id);
    const [a, b] = await Promise.all([ids(mine), ids(others)]);
    assert.deepEqual([a.length, b.length, a.filter((id) => b.includes(id)).length], [20, 20, 0]);
    // CVMs of another caller are not visible.
    const { data } = await ask('query($of: [ID!]!) { noted(ids: $of) { id name } }', { of: a.slice(0, 3) }, others);
    assert.deepEqual(data.noted.map((cvm) => cvm?.name ?? null), [null, null, null]);
  });

  test(`${name}: a rejected credential is UNAUTHENTICATED for cvms and for entities`, async (t) => {
    const { ask } = await graph(t);
    for (const [query, at] of [
      ['{ cvms(first: 2) { nodes { id alertCount } } }', 'cvms'],
      ['{ alerts(vmIds: ["a", "b"]) { message cvm { name } } }', 'alerts'],
    ]) {
      const { data, errors } = await ask(query, {}, rejected);
      assert.ok(errors.length >= 1 && errors.every((e) => e.extensions.code === 'UNAUTHENTICATED'), JSON.stringify(errors));
      assert.ok(errors.every((e) => e.path?.[0] === at || e.path === undefined), JSON.stringify(errors));
      assert.deepEqual(data, at === 'cvms' ? { cvms: null } : { alerts: [{ message: 'of a', cvm: { name: null } }, { message: 'of b', cvm: { name: null } }] });
    }
  });

  test(`${name}: an invalid representation fails alone, at its index`, async (t) => {
    const credential = fresh();
    const [cvm] = await first(1, credential);
    const { ask } = await graph(t);
    const { data, errors } = await ask('query($of: [ID!]!) { alerts(vmIds: $of) { cvm { name } } }', { of: ['', cvm.vmId] }, credential);
    assert.deepEqual(data.alerts, [{ cvm: { name: null } }, { cvm: { name: cvm.name } }]);
    assert.deepEqual(errors.map((e) => e.extensions.code), ['BAD_USER_INPUT'], JSON.stringify(errors));
  });
}
