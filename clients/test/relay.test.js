// Relay's runtime with the network function of Relay's documentation, and with queries compiled
// against the gateway's schema.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, mock, test } from 'node:test';
import { promisify } from 'node:util';
import relayCompiler from 'relay-compiler';
import relay from 'relay-runtime';
import { assertCvms, assertError, endpoint, rejectedToken, schemaURL } from './support/gateway.js';

const { createOperationDescriptor, Environment, fetchQuery, getSelector, Network, RecordSource, Store } = relay;
const require = createRequire(import.meta.url);
const allNull = { first: null, after: null, last: null, before: null };

let folder; // with the compiler's sources and artifacts
const artifact = (name) => require(path.join(folder, 'artifacts', `${name}.graphql.js`));

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cvmgraph-relay-'));
  const response = await fetch(schemaURL);
  assert.equal(response.status, 200);
  await writeFile(path.join(folder, 'schema.graphql'), await response.text());
  await cp(path.join(import.meta.dirname, 'relay'), path.join(folder, 'src'), { recursive: true });
  await mkdir(path.join(folder, 'artifacts'));
  const config = {
    src: 'src',
    schema: 'schema.graphql',
    artifactDirectory: 'artifacts',
    language: 'javascript',
    eagerEsModules: false,
  };
  await writeFile(path.join(folder, 'relay.config.json'), JSON.stringify(config));
  await promisify(execFile)(relayCompiler, ['--noWatchman', '--output', 'quiet-with-errors', 'relay.config.json'], { cwd: folder });
  mock.method(console, 'error', (...words) => assert.fail(`Relay warns: ${words.join(' ')}`));
  mock.method(console, 'warn', (...words) => assert.fail(`Relay warns: ${words.join(' ')}`));
});

after(() => rm(folder, { recursive: true, force: true }));

/**
 * Returns a Relay environment. requests has the variables as sent, and responses has the bodies as
 * received.
 */
function environment(headers = {}) {
  const requests = [];
  const responses = [];
  const fieldErrors = [];
  const network = Network.create(async (params, variables) => {
    const body = JSON.stringify({ query: params.text, variables });
    requests.push(JSON.parse(body).variables);
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body,
    });
    const received = await response.text();
    responses.push(received);
    return JSON.parse(received);
  });
  const store = new Store(new RecordSource());
  const relayFieldLogger = (event) => fieldErrors.push(event);
  return { relay: new Environment({ network, store, relayFieldLogger }), requests, responses, fieldErrors };
}

const run = (env, name, variables) => fetchQuery(env.relay, artifact(name), variables).toPromise();

test('data reaches the store, and unused arguments are sent as explicit nulls', async () => {
  const env = environment();
  const { cvms } = await run(env, 'sourcePageQuery', { first: 10 });
  assert.deepEqual(env.requests, [{ ...allNull, first: 10 }]);
  assert.ok(cvms.totalCount >= 100, `totalCount is ${cvms.totalCount}`);
  const nodes = cvms.edges.map((edge) => edge.node);
  const ids = assertCvms(nodes, 10);
  assert.deepEqual(
    [cvms.pageInfo.startCursor, cvms.pageInfo.endCursor],
    [cvms.edges[0].cursor, cvms.edges[9].cursor],
  );
  const stored = env.relay.getStore().getSource();
  assert.deepEqual(
    ids.map((id) => [stored.get(id).__typename, stored.get(id).name, stored.get(id).vmId]),
    nodes.map((node) => ['Cvm', node.name, node.vmId]),
  );
});

test('the store returns the received data and does not merge objects that are not Relay nodes', async () => {
  const env = environment();
  const data = await run(env, 'sourcePageQuery', { first: 100 });
  assert.deepEqual(data, JSON.parse(env.responses[0]).data);
  const nodes = data.cvms.edges.map((edge) => edge.node);
  assertCvms(nodes, 100);
  const distinct = (values) => new Set(values.filter((value) => value !== null && value !== undefined)).size;
  assert.ok(distinct(nodes.map((node) => node.managedUser?.userId)) > 1, 'several owners');
  assert.ok(distinct(nodes.map((node) => node.node?.nodeId)) > 1, 'several nodes');
});

test('explicit nulls return the default page of 30', async () => {
  const env = environment();
  const { cvms } = await run(env, 'sourcePageQuery', {});
  assert.deepEqual(env.requests, [allNull]);
  assertCvms(cvms.edges.map((edge) => edge.node), 30);
  assert.deepEqual([cvms.pageInfo.hasNextPage, cvms.pageInfo.hasPreviousPage], [true, false]);
});

test('backward paging with first and after null', async () => {
  const env = environment();
  const { cvms: end } = await run(env, 'sourcePageQuery', { last: 5 });
  assert.deepEqual([end.pageInfo.hasNextPage, end.pageInfo.hasPreviousPage], [false, true]);
  const { cvms: previous } = await run(env, 'sourcePageQuery', { last: 5, before: end.pageInfo.startCursor });
  assert.deepEqual(env.requests, [{ ...allNull, last: 5 }, { ...allNull, last: 5, before: end.pageInfo.startCursor }]);
  assert.equal(previous.pageInfo.hasNextPage, true);
  assertCvms([...previous.edges, ...end.edges].map((edge) => edge.node), 10);
});

test('a @connection grows at both ends', async () => {
  const env = environment();
  const { cvms: start } = await run(env, 'sourcePageQuery', { first: 5 });
  const from = start.pageInfo.endCursor;
  const query = createOperationDescriptor(artifact('sourceListQuery'), { count: 10, cursor: from });
  const retained = env.relay.retain(query);
  const connection = () => {
    const selector = getSelector(artifact('source_list'), env.relay.lookup(query.fragment).data);
    return env.relay.lookup(selector).data.cvms;
  };
  const names = () => connection().edges.map((edge) => edge.node);

  await run(env, 'sourceListQuery', { count: 10, cursor: from });
  const middle = assertCvms(names(), 10);
  const more = { count: 10, cursor: connection().pageInfo.endCursor, last: null, before: null };
  await run(env, 'sourceListPaginationQuery', more);
  const longer = assertCvms(names(), 20);
  assert.deepEqual(longer.slice(0, 10), middle);
  const earlier = { count: null, cursor: null, last: 3, before: connection().pageInfo.startCursor };
  await run(env, 'sourceListPaginationQuery', earlier);
  const whole = assertCvms(names(), 23);
  assert.deepEqual(whole.slice(3), longer);
  assert.deepEqual(env.requests.slice(2), [more, earlier]);
  retained.dispose();
});

test('an invalid argument is BAD_USER_INPUT in @catch, and other fields have data', async () => {
  const env = environment();
  const { cvms, few } = await run(env, 'sourceCaughtQuery', { first: 100000 });
  assert.equal(cvms.ok, false);
  assertError(withMessage(cvms.errors), 'BAD_USER_INPUT');
  assert.equal(cvms.errors[0].extensions.argument, 'first');
  assertCvms(few.nodes, 2);
});

test('an invalid argument is BAD_USER_INPUT in the field logger', async () => {
  const env = environment();
  const { cvms } = await run(env, 'sourcePageQuery', { first: -1 });
  assert.equal(cvms, null);
  const [event] = env.fieldErrors;
  assert.deepEqual([env.fieldErrors.length, event.kind, event.owner], [1, 'relay_field_payload.error', 'sourcePageQuery']);
  assertError([event.error], 'BAD_USER_INPUT');
});

for (const [name, headers] of [
  ['a rejected bearer token', { Authorization: `Bearer ${rejectedToken}` }],
  ['a rejected API key', { 'X-API-Key': rejectedToken }],
  ['another scheme', { Authorization: 'Basic dXNlcjpwYXNz' }],
]) {
  test(`${name} is UNAUTHENTICATED at every field`, async () => {
    const env = environment(headers);
    const { cvms, few } = await run(env, 'sourceCaughtQuery', { first: 1 });
    assert.equal(cvms.ok, false);
    assertError(withMessage(cvms.errors), 'UNAUTHENTICATED');
    assert.equal(few, null);
    assert.deepEqual(
      env.fieldErrors.map((event) => [event.error.extensions.code, event.handled]),
      [['UNAUTHENTICATED', true], ['UNAUTHENTICATED', false]], // cvms has @catch, few does not
    );
  });
}

test('an error of the whole request rejects with its code in source.errors', async () => {
  const env = environment();
  await assert.rejects(run(env, 'sourcePageQuery', { first: 'ten' }), (error) => {
    assert.equal(error.name, 'RelayNetwork');
    assertError(error.source.errors, 'GRAPHQL_VALIDATION_FAILED');
    assert.deepEqual(error.source.variables, { ...allNull, first: 'ten' });
    return true;
  });
});

/** Adds messages, which @catch omits. */
const withMessage = (errors) => errors.map((error) => ({ message: 'omitted by Relay', ...error }));
