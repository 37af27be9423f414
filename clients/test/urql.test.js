// urql over its fetchExchange.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cacheExchange, Client, CombinedError, fetchExchange, gql } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { aliases, assertCvms, assertError, endpoint, fresh, persistence, recordingFetch, rejectedToken } from './support/gateway.js';

const page = gql`
  query Page($first: Int, $after: String) {
    cvms(first: $first, after: $after) {
      totalCount
      nodes { id name }
      pageInfo { hasNextPage hasPreviousPage endCursor }
    }
  }
`;

const client = (options, exchanges = []) =>
  new Client({ url: endpoint, exchanges: [...exchanges, fetchExchange], requestPolicy: 'network-only', ...options });

// A query that is too long for urql to put into a URL, with a unique name.
const long = () => gql`query ${fresh('Long')} { ${aliases(20, 'x'.repeat(100))} }`;

test('data with the default options, by GET', async () => {
  const urql = new Client({ url: endpoint, exchanges: [cacheExchange, fetchExchange] });
  const { data, error, operation } = await urql.query(page, { first: 10 });
  assert.ifError(error);
  assertCvms(data.cvms.nodes, 10);
  assert.equal(data.cvms.nodes[0].__typename, 'Cvm');
  assert.ok(data.cvms.totalCount >= 100, `totalCount is ${data.cvms.totalCount}`);
  assert.equal(operation.context.preferGetMethod, 'within-url-limit');
});

for (const [preferGetMethod, method] of [
  [undefined, 'GET'],
  [true, 'GET'],
  ['force', 'GET'],
  ['within-url-limit', 'GET'],
  [false, 'POST'],
]) {
  const name = `preferGetMethod ${preferGetMethod}`;

  test(`${name}: two pages by ${method} that do not overlap`, async () => {
    const { fetch, calls } = recordingFetch();
    const urql = client({ fetch, preferGetMethod });
    const first = (await urql.query(page, { first: 5 })).data.cvms;
    assert.equal(first.pageInfo.hasNextPage, true);
    const second = (await urql.query(page, { first: 5, after: first.pageInfo.endCursor })).data.cvms;
    assert.equal(second.pageInfo.hasPreviousPage, true);
    assertCvms([...first.nodes, ...second.nodes], 10);
    assert.deepEqual(
      calls.map((call) => [call.method, call.status, call.media]),
      Array(2).fill([method, 200, 'application/graphql-response+json']),
    );
    assert.deepEqual(calls[1].params.variables, { first: 5, after: first.pageInfo.endCursor });
  });

  test(`${name}: a query of more than 2 KiB`, async () => {
    const { fetch, calls } = recordingFetch();
    const { data, error } = await client({ fetch, preferGetMethod }).query(long(), {});
    assert.ifError(error);
    assert.equal(Object.keys(data).length, 20);
    assert.deepEqual([...new Set(Object.values(data))], ['Query']);
    assert.deepEqual(calls.map((call) => call.method), [preferGetMethod === 'force' ? 'GET' : 'POST']);
  });

  test(`${name}: an invalid argument is BAD_USER_INPUT at its field, and other fields have data`, async () => {
    const query = gql`{ tooMany: cvms(first: 100000) { totalCount } few: cvms(first: 2) { nodes { id name } } }`;
    const { data, error } = await client({ preferGetMethod }).query(query, {});
    assertTyped(error);
    assert.equal(assertError(error.graphQLErrors, 'BAD_USER_INPUT', ['tooMany']).extensions.argument, 'first');
    assert.equal(data.tooMany, null);
    assertCvms(data.few.nodes, 2);
  });

  for (const [what, code, query, variables] of [
    ['an unknown field', 'GRAPHQL_VALIDATION_FAILED', gql`{ cvms(first: 1) { nodes { nothingLikeThis } } }`, {}],
    ['a variable of the wrong type', 'GRAPHQL_VALIDATION_FAILED', page, { first: 'ten' }],
    ['a missing variable', 'GRAPHQL_VALIDATION_FAILED', gql`query Needs($n: Int!) { cvms(first: $n) { totalCount } }`, {}],
    ['too many aliases', 'QUERY_TOO_COMPLEX', gql`{ ${aliases(40)} }`, {}],
  ]) {
    test(`${name}: ${what} is ${code}, not a network error`, async () => {
      const { fetch, calls } = recordingFetch();
      const { data, error } = await client({ fetch, preferGetMethod }).query(query, variables);
      assertTyped(error);
      assertError(error.graphQLErrors, code);
      assert.equal(data, undefined);
      assert.deepEqual(calls.map((call) => [call.method, call.status]), [[method, 400]]);
    });
  }

  for (const [what, headers] of [
    ['a rejected bearer token', { authorization: `Bearer ${rejectedToken}` }],
    ['a rejected API key', { 'x-api-key': rejectedToken }],
    ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }],
  ]) {
    test(`${name}: ${what} is UNAUTHENTICATED, not a network error`, async () => {
      const { fetch, calls } = recordingFetch();
      const { data, error } = await client({ fetch, preferGetMethod, fetchOptions: { headers } }).query(page, {});
      assertTyped(error);
      assertError(error.graphQLErrors, 'UNAUTHENTICATED', ['cvms']);
      assert.deepEqual(data, { cvms: null });
      assert.deepEqual(calls.map((call) => [call.method, call.status]), [[method, 200]]);
    });
  }
}

for (const [preferGetForPersistedQueries, wire, longWire] of [
  [undefined, ['GET hash', 'GET hash query', 'GET hash'], ['GET hash', 'POST hash query', 'GET hash']],
  [true, ['GET hash', 'GET hash query', 'GET hash'], ['GET hash', 'POST hash query', 'GET hash']],
  ['force', ['GET hash', 'GET hash query', 'GET hash'], ['GET hash', 'GET hash query', 'GET hash']],
  ['within-url-limit', ['GET hash', 'GET hash query', 'GET hash'], ['GET hash', 'POST hash query', 'GET hash']],
  [false, ['POST hash', 'POST hash query', 'POST hash'], ['POST hash', 'POST hash query', 'POST hash']],
]) {
  const name = `preferGetForPersistedQueries ${preferGetForPersistedQueries}`;
  const persisting = (options) => client(options, [persistedExchange({ preferGetForPersistedQueries })]);
  const unknown = () => gql`query ${fresh('Persisted')}($first: Int) { cvms(first: $first) { nodes { id name } } }`;

  test(`${name}: unknown, registered with miss, known`, async () => {
    const { fetch, calls } = recordingFetch();
    const query = unknown();
    const run = async (urql, first) => {
      const { data, error } = await urql.query(query, { first });
      assert.ifError(error);
      assertCvms(data.cvms.nodes, first);
    };
    const urql = persisting({ fetch });
    await run(urql, 10);
    await run(urql, 5);
    assert.deepEqual(calls.map(persistence), wire);
    assert.deepEqual(calls.map((call) => call.params.extensions.persistedQuery.miss), [undefined, true, undefined]);
    assert.equal(calls[0].headers.get('cache-control'), 'no-store', 'the response for an unknown query is not cached');
    await run(persisting({ fetch }), 3); // another client
    assert.deepEqual(calls.slice(3).map(persistence), wire.slice(2));
    assert.deepEqual(calls.map((call) => call.params.variables), [{ first: 10 }, { first: 10 }, { first: 5 }, { first: 3 }]);
  });

  test(`${name}: a query of more than 2 KiB`, async () => {
    const { fetch, calls } = recordingFetch();
    const urql = persisting({ fetch });
    const query = long();
    for (let turn = 0; turn < 2; turn++) {
      const { data, error } = await urql.query(query, {});
      assert.ifError(error);
      assert.equal(Object.keys(data).length, 20);
    }
    assert.deepEqual(calls.map(persistence), longWire);
  });

  test(`${name}: errors have their codes for known and unknown queries`, async () => {
    for (const [code, variables, headers] of [
      ['BAD_USER_INPUT', { first: -1 }, {}],
      ['UNAUTHENTICATED', { first: 1 }, { authorization: `Bearer ${rejectedToken}` }],
    ]) {
      const query = unknown();
      const urql = persisting({ fetchOptions: { headers } });
      for (let turn = 0; turn < 2; turn++) {
        const { error } = await urql.query(query, variables);
        assertTyped(error);
        assertError(error.graphQLErrors, code, ['cvms']);
      }
    }
  });
}

test('persisted queries: a wrong hash is rejected and not registered', async () => {
  const { fetch, calls } = recordingFetch();
  const foreign = fresh('').padEnd(64, '0').replace('_', 'f');
  const urql = client({ fetch }, [persistedExchange({ generateHash: async () => foreign })]);
  for (let turn = 0; turn < 2; turn++) {
    const { error } = await urql.query(gql`{ cvms(first: 1) { totalCount } }`, {});
    assertTyped(error);
    assertError(error.graphQLErrors, 'BAD_REQUEST');
  }
  assert.deepEqual(calls.map(persistence), ['GET hash', 'GET hash query', 'GET hash', 'GET hash query']);
});

/** Asserts an error with GraphQL errors and without a network error. */
function assertTyped(error) {
  assert.ok(error instanceof CombinedError, String(error));
  assert.equal(error.networkError, undefined);
}
