// Apollo Client over its HttpLink.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ApolloClient, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { relayStylePagination } from '@apollo/client/utilities';
import { filter, firstValueFrom } from 'rxjs';
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

const client = (options, links = []) =>
  new ApolloClient({
    cache: new InMemoryCache(),
    link: [...links, new HttpLink({ uri: endpoint, ...options })].reduce((left, right) => left.concat(right)),
    defaultOptions: { query: { fetchPolicy: 'network-only' } },
  });

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

test('data with the default options', async () => {
  const { data, error } = await client().query({ query: gql`{ cvms(first: 10) { totalCount nodes { id name listed } } }` });
  assert.ifError(error);
  assertCvms(data.cvms.nodes, 10);
  assert.equal(typeof data.cvms.nodes[0].listed, 'boolean');
  assert.ok(data.cvms.totalCount >= 100, `totalCount is ${data.cvms.totalCount}`);
});

test('variables: two pages that do not overlap', async () => {
  const apollo = client();
  const first = (await apollo.query({ query: page, variables: { first: 5 } })).data.cvms;
  assert.equal(first.pageInfo.hasNextPage, true);
  assert.equal(first.pageInfo.hasPreviousPage, false);
  const second = (await apollo.query({ query: page, variables: { first: 5, after: first.pageInfo.endCursor } })).data.cvms;
  assert.equal(second.pageInfo.hasPreviousPage, true);
  assertCvms([...first.nodes, ...second.nodes], 10);
});

test('explicit nulls are the default page of 30', async () => {
  const { fetch, calls } = recordingFetch();
  const { data } = await client({ fetch }).query({ query: page, variables: { first: null, after: null } });
  assert.deepEqual(calls[0].params.variables, { first: null, after: null });
  assertCvms(data.cvms.nodes, 30);
});

test('the cache has one object per CVM, and fetchMore appends to a relayStylePagination list', async (t) => {
  const { fetch, calls } = recordingFetch();
  const apollo = new ApolloClient({
    cache: new InMemoryCache({
      typePolicies: { Query: { fields: { cvms: relayStylePagination(['nodeId', 'userId']) } } },
    }),
    link: new HttpLink({ uri: endpoint, fetch }),
  });
  const query = gql`
    query List($after: String) {
      cvms(first: 10, after: $after) { edges { cursor node { id name } } pageInfo { hasNextPage endCursor } }
    }
  `;
  const list = apollo.watchQuery({ query });
  const watching = list.subscribe(() => {});
  t.after(() => watching.unsubscribe());
  const { data } = await firstValueFrom(list.pipe(filter(({ loading }) => !loading)));
  await list.fetchMore({ variables: { after: data.cvms.pageInfo.endCursor } });
  assert.equal(calls.length, 2);
  const { edges } = apollo.readQuery({ query }).cvms;
  const ids = assertCvms(edges.map((edge) => edge.node), 20);
  assert.equal(new Set(edges.map((edge) => edge.cursor)).size, 20);
  const cached = apollo.cache.extract();
  assert.deepEqual(Object.keys(cached).filter((key) => key.startsWith('Cvm:')).sort(), ids.map((id) => `Cvm:${id}`).sort());
});

for (const method of ['POST', 'GET']) {
  const useGETForQueries = method === 'GET';

  test(`${method}: data with variables, in the GraphQL media type`, async () => {
    const { fetch, calls } = recordingFetch();
    const { data } = await client({ fetch, useGETForQueries }).query({ query: page, variables: { first: 10 } });
    assertCvms(data.cvms.nodes, 10);
    assert.deepEqual(
      calls.map((call) => [call.method, call.status, call.media, call.params.variables]),
      [[method, 200, 'application/graphql-response+json', { first: 10 }]],
    );
  });

  test(`${method}: an invalid argument is BAD_USER_INPUT at its field, and other fields have data`, async () => {
    const apollo = client({ useGETForQueries });
    const query = gql`{ tooMany: cvms(first: 100000) { totalCount } few: cvms(first: 2) { nodes { id name } } }`;
    const { data, error } = await apollo.query({ query, errorPolicy: 'all' });
    assert.ok(CombinedGraphQLErrors.is(error), String(error));
    assert.equal(assertError(error.errors, 'BAD_USER_INPUT', ['tooMany']).extensions.argument, 'first');
    assert.equal(data.tooMany, null);
    assertCvms(data.few.nodes, 2);
    await assert.rejects(apollo.query({ query }), (rejected) => {
      assert.ok(CombinedGraphQLErrors.is(rejected), String(rejected));
      assertError(rejected.errors, 'BAD_USER_INPUT', ['tooMany']);
      return true;
    });
  });

  test(`${method}: a damaged cursor is BAD_USER_INPUT`, async () => {
    const variables = { first: 1, after: 'no-cursor' };
    const { error } = await client({ useGETForQueries }).query({ query: page, variables, errorPolicy: 'all' });
    assert.equal(assertError(error.errors, 'BAD_USER_INPUT', ['cvms']).extensions.argument, 'after');
  });

  for (const [name, code, query, variables] of [
    ['an unknown field', 'GRAPHQL_VALIDATION_FAILED', gql`{ cvms(first: 1) { nodes { nothingLikeThis } } }`],
    ['a variable of the wrong type', 'GRAPHQL_VALIDATION_FAILED', page, { first: 'ten' }],
    ['a missing variable', 'GRAPHQL_VALIDATION_FAILED', gql`query Needs($first: Int!) { cvms(first: $first) { totalCount } }`],
    ['too many aliases', 'QUERY_TOO_COMPLEX', gql`{ ${aliases(40)} }`],
  ]) {
    for (const accept of [undefined, 'application/json']) {
      test(`${method}, accept ${accept ?? 'by default'}: ${name} is ${code}, not a ServerError`, async () => {
        const { fetch, calls } = recordingFetch();
        const headers = accept ? { accept } : {};
        await assert.rejects(client({ fetch, headers, useGETForQueries }).query({ query, variables }), (error) => {
          assert.ok(CombinedGraphQLErrors.is(error), String(error));
          assertError(error.errors, code);
          assert.equal(error.data, undefined);
          return true;
        });
        assert.deepEqual(
          [calls[0].status, calls[0].media],
          accept ? [200, 'application/json'] : [400, 'application/graphql-response+json'],
        );
      });
    }
  }

  for (const [name, headers] of [
    ['a rejected bearer token', { authorization: `Bearer ${rejectedToken}` }],
    ['a rejected API key', { 'x-api-key': rejectedToken }],
    ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }],
  ]) {
    test(`${method}: ${name} is UNAUTHENTICATED, not a ServerError`, async () => {
      const { fetch, calls } = recordingFetch();
      const { data, error } = await client({ fetch, headers, useGETForQueries }).query({ query: page, errorPolicy: 'all' });
      assert.ok(CombinedGraphQLErrors.is(error), String(error));
      const { message } = assertError(error.errors, 'UNAUTHENTICATED', ['cvms']);
      assert.match(message, /Authorization/);
      assert.match(message, /X-API-Key/);
      assert.deepEqual(data, { cvms: null });
      assert.equal(calls[0].status, 200);
    });
  }
}

test('each token sees only its own list, with either header', async () => {
  const ids = async (headers) =>
    new Set((await client({ headers }).query({ query: page, variables: { first: 10 } })).data.cvms.nodes.map((node) => node.id));
  const token = fresh('token');
  const mine = await ids({ authorization: `Bearer ${token}` });
  const again = await ids({ authorization: `Bearer ${token}` });
  const others = await ids({ authorization: `Bearer ${fresh('token')}` });
  const key = await ids({ 'x-api-key': fresh('phak') });
  assert.deepEqual([mine.size, others.size, key.size], [10, 10, 10]);
  const common = (a, b) => [...a].filter((id) => b.has(id)).length;
  assert.ok(common(mine, again) >= 8, 'the same token sees the same list, except for recent changes');
  assert.deepEqual([common(mine, others), common(mine, key), common(others, key)], [0, 0, 0]);
});

for (const [name, persisted, http, wire] of [
  ['POST', {}, {}, ['POST hash', 'POST hash query', 'POST hash']],
  ['GET, with POST to register', { useGETForHashedQueries: true }, {}, ['GET hash', 'POST hash query', 'GET hash']],
  ['GET only', {}, { useGETForQueries: true }, ['GET hash', 'GET hash query', 'GET hash']],
]) {
  const persisting = (options) => client({ ...http, ...options }, [new PersistedQueryLink({ sha256, ...persisted })]);
  const unknown = () => gql`query ${fresh('Persisted')}($first: Int) { cvms(first: $first) { nodes { id name } } }`;

  test(`persisted queries by ${name}: unknown, registered, known`, async () => {
    const { fetch, calls } = recordingFetch();
    const query = unknown();
    const run = async (apollo, first) => {
      const { data, error } = await apollo.query({ query, variables: { first } });
      assert.ifError(error);
      assertCvms(data.cvms.nodes, first);
    };
    const apollo = persisting({ fetch });
    await run(apollo, 10);
    await run(apollo, 5);
    assert.deepEqual(calls.map(persistence), wire);
    assert.equal(calls[0].headers.get('cache-control'), 'no-store', 'the response for an unknown query is not cached');
    await run(persisting({ fetch }), 3); // another client
    assert.deepEqual(calls.slice(3).map(persistence), wire.slice(2));
    assert.deepEqual(calls.map((call) => call.params.variables), [{ first: 10 }, { first: 10 }, { first: 5 }, { first: 3 }]);
  });

  test(`persisted queries by ${name}: errors have their codes for known and unknown queries`, async () => {
    for (const [code, variables, headers] of [
      ['BAD_USER_INPUT', { first: -1 }, {}],
      ['UNAUTHENTICATED', { first: 1 }, { authorization: `Bearer ${rejectedToken}` }],
    ]) {
      const query = unknown();
      const apollo = persisting({ headers });
      for (let turn = 0; turn < 2; turn++) {
        const { error } = await apollo.query({ query, variables, errorPolicy: 'all' });
        assert.ok(CombinedGraphQLErrors.is(error), String(error));
        assertError(error.errors, code, ['cvms']);
      }
    }
  });
}

test('persisted queries: a wrong hash is rejected and not registered', async () => {
  const { fetch, calls } = recordingFetch();
  const foreign = sha256(fresh('foreign'));
  const wrong = client({ fetch }, [new PersistedQueryLink({ sha256: () => foreign })]);
  for (let turn = 0; turn < 2; turn++) {
    await assert.rejects(wrong.query({ query: gql`{ cvms(first: 1) { totalCount } }` }), (error) => {
      assert.ok(CombinedGraphQLErrors.is(error), String(error));
      assertError(error.errors, 'BAD_REQUEST');
      return true;
    });
  }
  assert.deepEqual(calls.map(persistence), ['POST hash', 'POST hash query', 'POST hash', 'POST hash query']);
});
