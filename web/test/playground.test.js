// The page in Chromium, with a gateway that runs with --demo at GATEWAY_URL.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { buildSchema, parse, validate } from 'graphql';
import { chromium } from 'playwright-core';

const gateway = process.env.GATEWAY_URL && new URL(process.env.GATEWAY_URL).origin;
const prefix = '/some/path';
const reportPath = '/policy-reports';
const timeout = 30_000; // ms, for one step on a busy machine
const screenshots = process.env.CVMGRAPH_SCREENSHOTS ?? path.join(import.meta.dirname, '..', 'screenshots');

let browser;
let proxy; // in front of the gateway
let origin; // of the proxy

before(async () => {
  assert.ok(gateway, 'GATEWAY_URL must name a gateway that runs with --demo');
  proxy = await startProxy();
  origin = proxy.origin;
  await mkdir(screenshots, { recursive: true });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', // CI is root
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1', // offline
    ],
  });
});

after(async () => {
  await browser?.close();
  proxy?.close();
});

test('the demo query runs at once, without requests to other origins and without reports', async (t) => {
  const { page, requests } = await open(t);
  await page.getByText('"totalCount"').waitFor();
  await page.getByText('Demo data, no credential needed.').waitFor();
  const graphql = requests.filter((request) => request.method() === 'POST');
  assert.deepEqual(
    graphql.map((request) => [request.url(), request.postDataJSON().operationName, credentialOf(request)]),
    [
      [`${origin}/graphql`, 'IntrospectionQuery', {}],
      [`${origin}/graphql`, 'FirstCvms', {}],
    ],
  );
  await allWorkers(page);
});

test('requests to other origins are detected, so that other tests can fail', async (t) => {
  const { page, requests } = await open(t, { unchecked: true });
  await allWorkers(page);
  await page.workers()[0].evaluate(() => fetch('http://127.0.0.1:9/worker').catch(() => {}));
  await provoke(page, 'http://127.0.0.1:9/elsewhere.png');
  const reports = await proxy.reports((all) => all.length === 2);
  assert.deepEqual(reports.map((report) => [report['effective-directive'], report['blocked-uri']]).sort(), [
    ['connect-src', 'http://127.0.0.1:9/worker'],
    ['img-src', 'http://127.0.0.1:9/elsewhere.png'],
  ]);
  const elsewhere = requests.filter((request) => !request.url().startsWith(origin));
  assert.deepEqual(
    elsewhere.map((request) => [request.url(), request.failure()?.errorText]),
    [['http://127.0.0.1:9/elsewhere.png', 'csp']],
  );
});

test('the credential is in the header of its kind', async (t) => {
  const { page, ask } = await open(t);
  await credential(page).fill('some-token');
  await kind(page).selectOption('Bearer token');
  assert.deepEqual(credentialOf(await ask('query Typed { cvms(first: 1) { totalCount } }')), {
    authorization: 'Bearer some-token',
  });
  await page.locator('.graphiql-response').getByText('"totalCount"').waitFor();
  await kind(page).selectOption('API key (X-API-Key)');
  assert.deepEqual(credentialOf(await ask('query Again { cvms(first: 1) { totalCount } }')), {
    'x-api-key': 'some-token',
  });
  await credential(page).fill('');
  assert.deepEqual(credentialOf(await ask('query Without { cvms(first: 1) { totalCount } }')), {});
});

test('the kind follows the pasted credential until the user chooses one', async (t) => {
  const { page } = await open(t);
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c3JfMSJ9.c2ln';
  for (const [text, wantKind, wantSecret] of [
    ['phak_abc', 'apiKey', 'phak_abc'],
    [jwt, 'bearer', jwt],
    ['plain', 'bearer', 'plain'],
    ['X-API-Key: abc', 'apiKey', 'abc'],
    ['Bearer abc', 'bearer', 'abc'],
    ['authorization: bearer abc ', 'bearer', 'abc'],
    [' phak_abc ', 'apiKey', 'phak_abc'],
  ]) {
    await credential(page).fill(text);
    assert.deepEqual(
      [await kind(page).inputValue(), await credential(page).inputValue()],
      [wantKind, wantSecret],
      text,
    );
  }
  await kind(page).selectOption('bearer');
  await credential(page).fill('phak_abcd');
  assert.equal(await kind(page).inputValue(), 'bearer', 'the user\'s choice');
  await credential(page).fill('');
  await credential(page).fill('phak_abcd');
  assert.equal(await kind(page).inputValue(), 'apiKey', 'after the field was empty');
});

test('the credential is hidden until it is shown', async (t) => {
  const { page } = await open(t);
  await credential(page).fill('phak_abc');
  assert.equal(await credential(page).getAttribute('type'), 'password');
  await page.getByRole('button', { name: 'Show credential' }).click();
  assert.equal(await credential(page).getAttribute('type'), 'text');
  await page.getByRole('button', { name: 'Hide credential' }).click();
  assert.equal(await credential(page).getAttribute('type'), 'password');
});

test('a rejected credential is reported until it is changed', async (t) => {
  const { page, ask } = await open(t);
  await kind(page).selectOption('bearer');
  await credential(page).fill('invalid');
  await ask('query Wrong { cvms(first: 1) { totalCount } }');
  await page.getByRole('status').getByText('The upstream does not accept this credential').waitFor();
  await page.locator('.graphiql-response').getByText('"UNAUTHENTICATED"').waitFor();
  assert.equal(await credential(page).getAttribute('aria-invalid'), 'true');
  await page.screenshot({ path: path.join(screenshots, 'rejected.png') });
  await credential(page).fill('valid');
  await page.getByRole('status').getByText('Sent with each request, never stored.').waitFor();
});

test('a credential that is not valid in a header is not sent', async (t) => {
  const { page, ask } = await open(t);
  await credential(page).fill('phak_\u{1f511}');
  await page.getByRole('status').getByText('This cannot be sent.').waitFor();
  assert.deepEqual(credentialOf(await ask('query Flawed { cvms(first: 1) { totalCount } }')), {});
});

test('the credential is in no storage and is lost after a reload', async (t) => {
  const { page, ask } = await open(t);
  await credential(page).fill('phak_keep_me_secret');
  await ask('query Stored { cvms(first: 1) { totalCount } }');
  // GraphiQL stores the query with a delay. Wait for it, so that other values would be stored too.
  await page.waitForFunction(() => JSON.stringify(localStorage).includes('query Stored'));
  await page.waitForFunction(() => localStorage['cvmgraph:graphiql:tabState']?.includes('query Stored'));
  const stored = await page.evaluate(async () =>
    JSON.stringify([
      { ...localStorage },
      { ...sessionStorage },
      document.cookie,
      location.href,
      history.state,
      await indexedDB.databases(),
      await caches.keys(),
    ]),
  );
  assert.ok(!stored.includes('keep_me_secret'), stored);
  await page.reload();
  await page.getByText('query Stored').first().waitFor(); // the query is restored
  assert.equal(await credential(page).inputValue(), '');
});

test('the workspace is in its header, and in no storage', async (t) => {
  const { page, ask } = await open(t);
  await credential(page).fill('phak_abc');
  await workspace(page).fill('X-Phala-Workspace: my-team ');
  assert.equal(await workspace(page).inputValue(), 'my-team');
  assert.deepEqual(credentialOf(await ask('query InTeam { cvms(first: 1) { totalCount } }')), {
    'x-api-key': 'phak_abc',
    'x-phala-workspace': 'my-team',
  });
  await workspace(page).fill('two words');
  await page.getByRole('status').getByText('This cannot be sent. The workspace contains a space.').waitFor();
  assert.equal(await workspace(page).getAttribute('aria-invalid'), 'true');
  assert.equal(await credential(page).getAttribute('aria-invalid'), 'false');
  await workspace(page).fill('');
  assert.deepEqual(credentialOf(await ask('query InDefault { cvms(first: 1) { totalCount } }')), { 'x-api-key': 'phak_abc' });
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href]));
  assert.ok(!stored.includes('my-team'), stored);
});

test('a request is copied as a curl command without the credential', async (t) => {
  const { page, type, copied, variables } = await open(t);
  await page.getByText('"totalCount"').waitFor();
  await type(`query Curl($n: Int) { cvms(first: $n, userId: "it's") { totalCount } } # kept`);
  await variables('{"n": 3, /* JSON with comments */}');
  const button = page.getByRole('button', { name: 'Copy as curl' });
  await button.click();
  assert.deepEqual(await ran(await copied(), {}), {
    headers: { 'content-type': 'application/json' },
    body: {
      query: `query Curl($n: Int) { cvms(first: $n, userId: "it's") { totalCount } } # kept`,
      variables: { n: 3 },
      operationName: 'Curl',
    },
  });
  await credential(page).fill('phak_secret');
  await workspace(page).fill("team's");
  await button.click();
  await page.getByRole('status').getByText('Set CVMGRAPH_API_KEY in the shell').waitFor();
  const command = await copied();
  assert.ok(!command.includes('phak_secret'), command);
  assert.deepEqual((await ran(command, { CVMGRAPH_API_KEY: 'phak_other' })).headers, {
    'content-type': 'application/json',
    'x-api-key': 'phak_other',
    'x-phala-workspace': "team's",
  });
  await kind(page).selectOption('bearer');
  await button.click();
  await page.getByRole('status').getByText('Set CVMGRAPH_TOKEN in the shell').waitFor();
  assert.equal((await ran(await copied(), { CVMGRAPH_TOKEN: 'abc' })).headers.authorization, 'Bearer abc');
  await type('query Leaky { cvms(userId: "phak_secret") { totalCount } }');
  await button.click();
  await page.getByRole('status').getByText('contain the credential').waitFor();
});

test('a copied link opens the query with its variables, and has no credential and no workspace', async (t) => {
  const { page, type, copied, variables } = await open(t);
  await page.getByText('"totalCount"').waitFor();
  const query = 'query Linked($n: Int) { cvms(first: $n) { totalCount } } # 100 % & ünïcode';
  await type(query);
  await variables('{"n": 2}');
  await credential(page).fill('phak_secret');
  await workspace(page).fill('my-team');
  await page.getByRole('button', { name: 'Copy a link' }).click();
  const link = await copied();
  assert.deepEqual(Object.fromEntries(new URL(link).searchParams), { query, variables: '{"n":2}' });
  assert.ok(!/secret|my-team/.test(link), link);
  await page.evaluate(() => localStorage.clear());
  const other = await open(t, { url: link });
  await other.page.locator('.graphiql-response').getByText('"totalCount"').waitFor(); // the demo runs it at once
  const { query: sent, variables: values } = other.requests.findLast((request) => request.method() === 'POST').postDataJSON();
  assert.deepEqual([sent, values], [query, { n: 2 }]);
  await other.page.getByRole('region', { name: 'Variables' }).getByText('"n"').waitFor();
  assert.equal(other.page.url(), `${origin}/`, 'the address without the query');
  await type(`query Long { ${Array.from({ length: 700 }, (_, i) => `a${i}: __typename`).join(' ')} }`);
  await page.getByRole('button', { name: 'Copy a link' }).click();
  await page.getByRole('status').getByText('too long for a link').waitFor();
});

test('extensions are in the raw response only', async (t) => {
  const { page, ask } = await open(t);
  await calls(page).rows.first().waitFor();
  const response = page.locator('.graphiql-response');
  await page.route('**/graphql', (route) =>
    route.fulfill({
      json: {
        data: { shown: 1 },
        extensions: { pagination: [{ path: ['cvms'], exact: true, inserted: 2, removed: 1, repeatedFrom: null }], stale: { age: 7 } },
      },
    }),
  );
  await ask('query Shown { __typename }');
  await response.getByText('"shown"').waitFor();
  assert.equal(await response.getByText('"extensions"').count(), 0);
  await response.getByText('The list changed: 2 CVMs added, 1 CVM removed. No CVM is skipped or repeated.').waitFor();
  await response.getByText('The data is 7 s old.').waitFor();
  const raw = page.getByRole('button', { name: 'Raw response' });
  await raw.click();
  await response.getByText('"extensions"').waitFor();
  await ask('query Again { __typename }');
  await response.getByText('"extensions"').waitFor();
  await raw.click();
  await response.getByText('"shown"').waitFor();
  assert.equal(await response.getByText('"extensions"').count(), 0);
});

test('Ctrl-Enter runs the query wherever the focus is', async (t) => {
  const { page } = await open(t);
  await calls(page).rows.first().waitFor();
  for (const stop of [
    credential(page),
    workspace(page),
    kind(page),
    page.getByRole('button', { name: 'Show credential' }),
    page.getByRole('button', { name: 'Show Examples' }),
    page.getByRole('button', { name: 'Copy as curl' }),
    page.getByRole('button', { name: /^Execute query/ }),
    calls(page).head,
    page.locator('.result-window'),
    page.getByRole('link', { name: 'Docs' }),
  ]) {
    await page.getByRole('button', { name: /^Execute query/ }).waitFor();
    await stop.focus();
    const sent = page.waitForRequest((request) => request.postDataJSON()?.operationName === 'FirstCvms');
    await page.keyboard.press('Control+Enter');
    await (await sent).response();
  }
});

test('the head has the version, and a link to the documentation that works', async (t) => {
  const { page } = await open(t);
  await page.locator('.page-links').getByText(/^\d+\.\d+\.\d+/).waitFor();
  const address = await page.getByRole('link', { name: 'Docs' }).evaluate((link) => link.href);
  const response = await fetch(address);
  assert.equal(response.status, 200);
  assert.match(await response.text(), /# Documentation/i);
});

test('a checked field is scrolled into sight', async (t) => {
  const tall = `query Tall {\n${'  # line\n'.repeat(80)}  cvms { totalCount }\n}`;
  const url = `${origin}/?query=${encodeURIComponent(tall)}`;
  const { page } = await open(t, { url, viewport: { width: 390, height: 844 } });
  await page.getByText('"totalCount"').waitFor();
  await page.getByRole('button', { name: 'Show Fields' }).click();
  await page.getByRole('checkbox', { name: 'pageInfo PageInfo!', exact: true }).check();
  await editor(page).locator('.view-line').getByText('pageInfo').waitFor();
  // The editor replaces its lines while it scrolls.
  await page.waitForFunction(() => {
    const line = [...document.querySelectorAll('.view-line')].find(({ textContent }) => textContent.includes('pageInfo'));
    const panel = document.querySelector('.graphiql-plugin');
    return line && line.getBoundingClientRect().bottom <= panel.getBoundingClientRect().top;
  });
});

test('the documentation opens and lists the fields', async (t) => {
  const { page } = await open(t);
  await page.getByText('"totalCount"').waitFor();
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.locator('.graphiql-plugin').getByRole('link', { name: 'Query', exact: true }).click();
  await page.locator('.graphiql-plugin').getByRole('link', { name: 'cvms', exact: true }).waitFor();
  await page.screenshot({ path: path.join(screenshots, 'docs.png') });
});

test('each example is valid, has a comment, and returns no error', async (t) => {
  const { page, example } = await open(t);
  await page.getByText('"totalCount"').waitFor();
  const schema = buildSchema(await readFile(path.join(import.meta.dirname, '..', '..', 'schema.graphqls'), 'utf8'));
  const results = {};
  await page.getByRole('button', { name: 'Show Examples' }).click();
  const titles = await page.locator('.page-examples strong').allTextContents();
  for (const title of titles) {
    const { request, result } = await example(title);
    const { query, operationName } = request.postDataJSON();
    assert.deepEqual(validate(schema, parse(query)), [], title);
    assert.match(query, new RegExp(`^#[^]*query ${operationName}[ (]`), title);
    assert.equal(result.errors, undefined, title);
    for (const [field, value] of Object.entries(result.data)) {
      assert.ok(value !== null, `${title}: ${field}`);
    }
    results[title] = result.data;
  }
  assert.deepEqual(Object.keys(results), [
    'First page',
    'Next page',
    'Last page',
    'Previous page',
    'CVMs of one node',
    'CVM by id',
    'CVM by UUID',
    'Totals',
    'Launch configuration',
    'Explain',
  ]);
  const first = results['First page'].cvms;
  const firstIds = first.edges.map(({ node }) => node.id);
  assert.deepEqual(
    results['Next page'].cvms.nodes.filter(({ id }) => firstIds.includes(id)),
    [],
  );
  assert.equal(results['Next page'].cvms.pageInfo.hasPreviousPage, true);
  assert.equal(results['Last page'].cvms.pageInfo.hasNextPage, false);
  assert.equal(results['Previous page'].cvms.nodes.length, 10);
  assert.equal(new Set(results['CVMs of one node'].cvms.nodes.map(({ node }) => node.nodeId)).size, 1);
  assert.equal(results['Explain'].long.nodes.length, 250);
  await page.locator('.page-calls').getByRole('row').nth(3).waitFor();
  await page.screenshot({ path: path.join(screenshots, 'examples.png') });
});

test('an example continues after the last response', async (t) => {
  const { page, ask, example } = await open(t);
  await page.getByText('"totalCount"').waitFor();
  await page.getByRole('button', { name: 'Show Examples' }).click();
  const first = await example('First page');
  const next = await example('Next page');
  assert.deepEqual(next.request.postDataJSON().variables, { after: first.result.data.cvms.pageInfo.endCursor });
  const third = await example('Next page');
  assert.deepEqual(third.request.postDataJSON().variables, { after: next.result.data.cvms.pageInfo.endCursor });
  const { nodeId } = first.result.data.cvms.edges.find(({ node }) => node.node).node.node;
  // Cursors of another list.
  const other = await ask(`query Other { cvms(first: 3, nodeId: ${nodeId}) { totalCount pageInfo { endCursor } } }`);
  await other.response();
  await page.locator('.graphiql-response').getByText('"totalCount"').waitFor();
  const back = await example('Previous page');
  assert.deepEqual(back.request.postDataJSON().variables, { before: third.result.data.cvms.pageInfo.startCursor });
  const ids = ({ result }) => result.data.cvms.nodes.map(({ id }) => id);
  const again = ids(back).filter((id) => ids(next).includes(id));
  assert.ok(again.length >= 8, `${again.length} of the previous ten, in a list that changes`);
});

test('an example does not replace a query of the user', async (t) => {
  const { page, type, example } = await open(t);
  await page.getByText('"totalCount"').waitFor();
  await page.getByRole('button', { name: 'Show Examples' }).click();
  await example('Totals');
  assert.equal(await page.locator('.graphiql-tab').count(), 1, 'an example replaces another');
  await type('query Mine { cvms(first: 1) { totalCount } }');
  await example('Last page');
  assert.equal(await page.locator('.graphiql-tab').count(), 2);
  await page.locator('.graphiql-tab').getByText('Mine', { exact: true }).click();
  await editor(page).getByText('Mine').waitFor();
});

test('without a credential an example is not run', async (t) => {
  const { page, requests } = await open(t, { demo: false });
  await page.getByRole('button', { name: 'Show Examples' }).click();
  await page.getByRole('button', { name: /^Next page/ }).click();
  await page.getByRole('region', { name: 'Variables' }).getByText('<endCursor>').waitFor();
  await page.waitForLoadState('networkidle');
  assert.equal(requests.filter((request) => request.method() === 'POST').length, 1, 'the introspection');
});

test('requests ask for their calls while the panel is open', async (t) => {
  const { page, ask } = await open(t, { demo: false });
  const panel = calls(page);
  await credential(page).fill('phak_explain');
  const explained = (request) => request.headers()['x-cvmgraph-explain'];
  await credential(page).press('Enter');
  assert.equal(explained(await ask('query Closed { cvms(first: 1) { totalCount } }')), undefined);
  await page.locator('.graphiql-response').getByText('"totalCount"').waitFor();
  await panel.head.click();
  await panel.body.getByText('did not include its upstream calls').waitFor();
  await page.screenshot({ path: path.join(screenshots, 'unasked.png') });
  await panel.body.getByRole('button', { name: 'Run it again' }).click();
  await panel.rows.first().waitFor();
  assert.equal(explained(await ask('query Open { cvms(first: 5) { totalCount } }')), '1');
  await page.reload();
  await page.getByText('"totalCount"').or(panel.body.getByText('Run a query')).first().waitFor();
  assert.equal(await panel.head.getAttribute('aria-expanded'), 'true', 'the panel is still open');
  await panel.head.click();
  assert.equal(await panel.body.isVisible(), false);
});

test('the introspection request does not ask for calls', async (t) => {
  const { page, requests } = await open(t);
  await calls(page).rows.first().waitFor();
  const posts = requests.filter((request) => request.method() === 'POST');
  assert.deepEqual(
    posts.map((request) => [request.postDataJSON().operationName, request.headers()['x-cvmgraph-explain']]),
    [
      ['IntrospectionQuery', undefined],
      ['FirstCvms', '1'],
    ],
  );
});

const call = {
  page: 1,
  pageSize: 30,
  reason: 'window',
  status: 200,
  start: 0,
  ms: 100,
  bytes: 150_000,
  cached: false,
  coalesced: false,
  age: 0,
};

for (const [name, { upstream, summary, rows, says, bars }] of Object.entries({
  'no call': {
    upstream: { calls: [], itemsFetched: 0, itemsReturned: 0 },
    summary: 'no call',
    rows: [],
    says: /needs no data/,
  },
  'a cached page': {
    upstream: { calls: [{ ...call, ms: 0, cached: true, age: 1.234 }], itemsFetched: 0, itemsReturned: 30 },
    summary: 'no call · 1 page cached',
    rows: ['CVMs 1–30 the requested CVMs cached 1.2 s ago 0 ms 150 kB'],
    says: /All pages were cached/,
    bars: ['no call'],
  },
  'shared and failed calls': {
    upstream: {
      calls: [
        { ...call, page: 4, start: 30, ms: 200, status: 0, bytes: 0 },
        { ...call, page: 2, start: 10, status: 503, attempts: 3, bytes: 0, reason: 'realign' },
        { ...call, page: 3, start: 20, status: 429, bytes: 0 },
        { ...call, coalesced: true, ms: 80 },
      ],
      itemsFetched: 30,
      itemsReturned: 0,
    },
    summary: '4 calls · 230 ms · 150 kB',
    rows: [
      'CVMs 1–30 the requested CVMs HTTP 200, shared 80 ms 150 kB',
      'CVMs 31–60 a CVM that moved HTTP 503, 3 attempts 100 ms –',
      'CVMs 61–90 the requested CVMs HTTP 429 100 ms –',
      'CVMs 91–120 the requested CVMs no response 200 ms –',
    ],
    says: /3 calls failed/,
    bars: [
      'from 0 ms to 80 ms after the first call',
      'from 10 ms to 110 ms after the first call',
      'from 20 ms to 120 ms after the first call',
      'from 30 ms to 230 ms after the first call',
    ],
  },
  'a rejected credential': {
    upstream: {
      calls: [{ ...call, pageSize: 1, reason: 'total', status: 401, ms: 31.4, bytes: 0 }],
      itemsFetched: 0,
      itemsReturned: 0,
    },
    summary: '1 call · 31 ms · 0 B',
    rows: ['CVM 1 the total number HTTP 401 31 ms –'],
    says: /1 call failed/,
  },
  'thirteen calls': {
    upstream: {
      calls: Array.from({ length: 13 }, (_, i) => ({
        ...call,
        page: i + 1,
        pageSize: 91,
        start: i && 120,
        ms: 100 + i,
      })),
      itemsFetched: 1090,
      itemsReturned: 1000,
    },
    summary: '13 calls · 232 ms · 2 MB',
    rows: Array.from({ length: 13 }, (_, i) => `CVMs ${91 * i + 1}–${91 * (i + 1)} the requested CVMs HTTP 200 ${100 + i} ms 150 kB`),
    says: /90 CVMs more than returned/,
  },
  'more calls than rows': {
    upstream: {
      calls: Array.from({ length: 130 }, (_, i) => ({ ...call, page: i + 1 })),
      itemsFetched: 1,
      itemsReturned: 1,
    },
    summary: '130 calls · 100 ms · 20 MB',
    rows: [...Array.from({ length: 100 }, (_, i) => `CVMs ${30 * i + 1}–${30 * (i + 1)} the requested CVMs HTTP 200 100 ms 150 kB`), 'and 30 others'],
  },
  'invalid values': {
    upstream: {
      calls: [
        null,
        'x',
        {
          page: -1,
          pageSize: '9',
          reason: '<img src=x onerror=document.title=1>',
          ms: 'NaN',
          status: {},
          start: -5,
          cached: 'yes',
        },
      ],
      itemsFetched: '<b>',
      itemsReturned: null,
    },
    summary: '3 calls · 0 ms · 0 B',
    rows: ['no page no response 0 ms –', 'no page no response 0 ms –', 'no page <img src=x onerror=d no response 0 ms –'],
  },
})) {
  test(`the panel of calls shows ${name}`, async (t) => {
    const { page } = await open(t);
    const panel = calls(page);
    await panel.rows.first().waitFor();
    await page.route('**/graphql', (route) =>
      route.fulfill({ json: { data: { shown: name }, extensions: { upstream } } }),
    );
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      await page.getByRole('button', { name: /^Execute query/ }).click();
      await page.locator('.graphiql-response').getByText('"shown"').waitFor();
      assert.equal(await panel.head.innerText().then((text) => text.replace(/\s+/g, ' ')), `Upstream calls ${summary}`);
      assert.deepEqual(
        (await panel.rows.allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim()),
        rows,
      );
      if (says) {
        assert.match(await panel.body.innerText(), says);
      }
      if (bars) {
        assert.deepEqual(
          await panel.rows.getByRole('img').evaluateAll((all) => all.map((bar) => bar.getAttribute('aria-label'))),
          bars,
        );
      }
      const outside = await panel.body.evaluate((body) => {
        const { left, right } = body.getBoundingClientRect();
        const isOutside = (box) => box.left < left - 1 || box.right > right + 1;
        return [...body.querySelectorAll('table *')]
          .filter((each) => isOutside(each.getBoundingClientRect()))
          .map((each) => each.outerHTML);
      });
      assert.deepEqual(outside, [], `${width} pixels`);
    }
    assert.equal(await page.locator('main img').count(), 0, 'values are shown as text');
    if (rows.length > 4) {
      await page.screenshot({ path: path.join(screenshots, `narrow-${name.replaceAll(' ', '-')}.png`) });
    }
  });
}

test('a response without calls is reported', async (t) => {
  const { page, type } = await open(t, { unchecked: true }); // the console reports the status 400
  await calls(page).rows.first().waitFor();
  await type('query Unknown { nothing }');
  await page.keyboard.press('Control+Enter');
  await calls(page).body.getByText('was not executed').waitFor();
});

test('checked fields are added to the operation, keep its comments, and can be undone', async (t) => {
  const { page, requests, written } = await open(t);
  await page.getByText('"totalCount"').waitFor();
  await page.getByRole('button', { name: 'Show Fields' }).click();
  const fields = page.getByRole('region', { name: 'Fields' });
  const box = (name) => fields.getByRole('checkbox', { name, exact: true });
  assert.equal(await box('totalCount Int!').isChecked(), true);
  assert.equal(await box('nodes [Cvm!]!').isChecked(), false);
  const before = requests.findLast((request) => request.method() === 'POST').postDataJSON().query;
  await box('totalCount Int!').uncheck();
  const without = await written((text) => text !== '' && !text.includes('totalCount'));
  assert.equal(without, before.replace('    totalCount\n', ''));
  await box('totalCount Int!').check();
  assert.match(
    await written((text) => text.includes('totalCount')),
    /^# Your[^]*edges {[^]*\n {4}totalCount\n {2}}\n}\n$/,
  );
  await fields.getByLabel('first', { exact: true }).fill('7');
  await written((text) => text.includes('cvms(first: 7) {'));
  await fields.getByLabel('first', { exact: true }).fill('x');
  assert.equal(await fields.getByLabel('first', { exact: true }).getAttribute('aria-invalid'), 'true');
  await fields.getByLabel('after', { exact: true }).fill('say "x"');
  await written((text) => text.includes(String.raw`cvms(first: 7, after: "say \"x\"") {`));
  await page.screenshot({ path: path.join(screenshots, 'fields.png') });
  await editor(page).click();
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Control+Z');
  }
  await written((text) => text === before);
});

test('fields can be checked with the keyboard, also in an empty editor', async (t) => {
  const { page, written } = await open(t);
  await page.getByText('"totalCount"').waitFor();
  await editor(page).click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText('query {');
  await page.getByRole('button', { name: 'Show Fields' }).press('Enter');
  const fields = page.getByRole('region', { name: 'Fields' });
  await fields.getByText('The query has a syntax error').waitFor();
  await editor(page).click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await fields.getByText('Check a field to start').waitFor();
  await fields.getByRole('checkbox', { name: /^node / }).focus();
  for (const key of [
    'ArrowDown',
    'ArrowDown',
    'ArrowDown',
    'ArrowRight',
    'ArrowDown',
    'ArrowDown',
    'ArrowDown',
    'ArrowDown',
    'Space',
  ]) {
    await page.keyboard.press(key);
  }
  await written((text) => text === 'query Selected {\n  cvms {\n    totalCount\n  }\n}\n');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await written(
    (text) => text === 'query Selected {\n  cvms {\n    totalCount\n    pageInfo {\n      hasNextPage\n    }\n  }\n}\n',
  );
});

test('completion knows the schema', async (t) => {
  const { page, written } = await open(t);
  await page.getByText('"totalCount"').waitFor();
  await editor(page).click();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('{ cvms { pageI');
  await page.locator('.suggest-widget').getByText('pageInfo').first().waitFor();
  await page.keyboard.press('Tab'); // accepts the completion, though Tab otherwise leaves the editor
  await written((text) => text.startsWith('{ cvms { pageInfo'));
});

test('prettify indents query and variables', async (t) => {
  const { page, type } = await open(t);
  await page.getByText('"totalCount"').waitFor();
  await type('query P($n:Int){cvms(first:$n){totalCount}} # kept');
  await page.getByRole('button', { name: 'Show editor tools' }).click();
  await page.getByRole('region', { name: 'Variables' }).locator('.monaco-editor').first().click();
  await page.keyboard.insertText('{"n":3}');
  await page.getByRole('button', { name: /^Prettify/ }).click();
  await page.waitForFunction(() => localStorage['cvmgraph:graphiql:query']?.includes('cvms(first: $n) {\n'));
  await page.waitForFunction(() => localStorage['cvmgraph:graphiql:variables'] === '{\n  "n": 3\n}\n');
  assert.match(await page.evaluate(() => localStorage['cvmgraph:graphiql:query']), /# kept/);
});

test('the editors follow the system\'s theme at once', async (t) => {
  const { page } = await open(t, { colorScheme: 'light' });
  const dark = page.locator('.graphiql-query-editor .monaco-editor.vs-dark').first();
  assert.equal(await dark.count(), 0);
  await page.emulateMedia({ colorScheme: 'dark' });
  await dark.waitFor();
  await page.emulateMedia({ colorScheme: 'light' });
  await dark.waitFor({ state: 'detached' });
});

test('a new tab is in sight on a phone', async (t) => {
  const { page } = await open(t, { viewport: { width: 390, height: 844 } });
  for (const count of [2, 3, 4, 5]) {
    await page.getByRole('button', { name: 'New tab' }).click();
    await page.waitForFunction((n) => {
      const tabs = [...document.querySelectorAll('.graphiql-tab')];
      const { left, right } = tabs.at(-1).getBoundingClientRect();
      return tabs.length === n && tabs.at(-1).matches('.graphiql-tab-active') && left >= 0 && right <= innerWidth;
    }, count);
  }
});

test('without demo no query runs at once, and the page shows where to get a key', async (t) => {
  const { page, requests } = await open(t, { demo: false });
  await page.getByRole('status').getByText('Get an API key').waitFor();
  const link = page.getByRole('link', { name: 'cloud.phala.com' });
  assert.equal(await link.getAttribute('rel'), 'noreferrer noopener');
  await page.getByText('FirstCvms').first().waitFor();
  await page.waitForLoadState('networkidle');
  assert.deepEqual(
    requests.filter((request) => request.method() === 'POST').map((request) => request.postDataJSON().operationName),
    ['IntrospectionQuery'],
  );
});

test('a gateway that does not respond is reported', async (t) => {
  const { page, type } = await open(t, { unchecked: true });
  await page.getByText('"totalCount"').waitFor();
  await page.route('**/graphql', (route) => route.abort('connectionrefused'));
  await type('query Gone { __typename }');
  await page.keyboard.press('Control+Enter');
  await page.getByRole('status').getByText('The gateway does not respond.').waitFor();
  const response = page.locator('.graphiql-response');
  await response.getByText('The gateway does not respond.').waitFor();
  assert.equal(await response.getByText('stack').count(), 0);
  assert.equal(await credential(page).getAttribute('aria-invalid'), 'false');
  await page.unroute('**/graphql');
  await page.keyboard.press('Control+Enter');
  await page.getByRole('status').getByText('Demo data').waitFor();
});

test('a response that is not GraphQL is reported', async (t) => {
  const { page, type } = await open(t, { unchecked: true });
  await page.getByText('"totalCount"').waitFor();
  await page.route('**/graphql', (route) => route.fulfill({ status: 502, body: '<html>Bad Gateway</html>' }));
  await type('query Bad { __typename }');
  await page.keyboard.press('Control+Enter');
  await page.getByRole('status').getByText('not GraphQL (HTTP 502)').waitFor();
});

test('without introspection the page works and reports it', async (t) => {
  const { page } = await open(t, {
    async prepare(page) {
      await page.route('**/graphql', (route) =>
        route.request().postDataJSON().operationName === 'IntrospectionQuery'
          ? route.fulfill({ json: { data: null, errors: [{ message: 'introspection disabled' }] } })
          : route.continue(),
      );
    },
  });
  await page.getByRole('status').getByText('Introspection is disabled').waitFor();
  await page.locator('.graphiql-response').getByText('"totalCount"').waitFor();
});

test('a request can be stopped', async (t) => {
  const { page, type } = await open(t, { unchecked: true });
  await page.getByText('"totalCount"').waitFor();
  await page.route('**/graphql', () => {}); // no response
  await type('query Slow { __typename }');
  const failed = page.waitForEvent('requestfailed');
  await page.keyboard.press('Control+Enter');
  await page.getByRole('button', { name: /^Stop query/ }).click();
  assert.equal((await failed).failure()?.errorText, 'net::ERR_ABORTED');
  await page.getByRole('button', { name: /^Execute query/ }).waitFor();
  await page.getByRole('status').getByText('Demo data').waitFor();
});

test('the page works under a path', async (t) => {
  const { page } = await open(t, { url: `${origin}${prefix}/` });
  await page.getByText('"totalCount"').waitFor();
  await allWorkers(page);
});

for (const [name, options] of Object.entries({
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
})) {
  test(`the page follows the system's ${name} theme and GraphiQL's switch`, async (t) => {
    const { page } = await open(t, options);
    await page.getByText('"totalCount"').waitFor();
    await page.screenshot({ path: path.join(screenshots, `${name}.png`) });
    const isLight = async () => {
      const colors = await page.evaluate(() =>
        [document.body, document.querySelector('header'), document.querySelector('main .graphiql-container')].map(
          (element) => getComputedStyle(element).backgroundColor,
        ),
      );
      assert.equal(new Set(colors).size, 1, `one background: ${colors}`);
      return colors[0] === 'rgb(255, 255, 255)';
    };
    assert.equal(await isLight(), name === 'light');
    await page.getByRole('button', { name: 'Open settings dialog' }).click();
    await page.getByRole('button', { name: name === 'light' ? 'Dark' : 'Light', exact: true }).click();
    assert.equal(await isLight(), name !== 'light');
  });
}

test('the page fits 360 pixels', async (t) => {
  const { page, example } = await open(t, { viewport: { width: 360, height: 740 } });
  await page.getByText('"totalCount"').waitFor();
  await editor(page).locator('.view-line').first().getByText('query').waitFor(); // the query is at the top
  await page.screenshot({ path: path.join(screenshots, 'narrow.png') });
  const fits = async () => {
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, 'no horizontal scroll');
    assert.equal(await page.evaluate(() => document.documentElement.scrollHeight), 740, 'no vertical scroll');
  };
  await fits();
  for (const pane of ['.graphiql-query-editor', '.graphiql-response', '.page-credential .page-field']) {
    const box = await page.locator(pane).boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 360 && box.y + box.height <= 740, `${pane}: ${JSON.stringify(box)}`);
    assert.ok(box.width >= 300, `${pane}: ${JSON.stringify(box)}`);
  }
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.locator('.graphiql-plugin').getByRole('link', { name: 'Query', exact: true }).click();
  await page.screenshot({ path: path.join(screenshots, 'narrow-docs.png') });
  await fits();
  await page.getByRole('button', { name: 'Hide Documentation Explorer' }).click();
  await page.getByRole('button', { name: /^Execute query/ }).click();
  await page.getByText('"totalCount"').waitFor();
  await page.getByRole('button', { name: 'Show Fields' }).click();
  await page.getByRole('checkbox', { name: /^pageInfo/ }).uncheck();
  await page.screenshot({ path: path.join(screenshots, 'narrow-fields.png') });
  await fits();
  await page.getByRole('button', { name: 'Show Examples' }).click();
  await page.screenshot({ path: path.join(screenshots, 'narrow-examples.png') });
  await fits();
  await example('Explain'); // closes the panel and opens the panel with the calls
  await calls(page).rows.nth(2).waitFor();
  await page.screenshot({ path: path.join(screenshots, 'narrow-explain.png') });
  await fits();
  const box = await calls(page).body.boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 360 && box.height >= 150, `the calls: ${JSON.stringify(box)}`);
  for (const button of await page.locator('.graphiql-sidebar button').all()) {
    const { x, width } = await button.boundingBox();
    assert.ok(x >= 0 && x + width <= 360, `the sidebar: ${x} ${width}`);
  }
});

test('the credential can be entered and used with the keyboard', async (t) => {
  const { page } = await open(t);
  await page.getByText('"totalCount"').waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Kind of credential');
  await page.keyboard.press('Tab');
  await page.keyboard.type('phak_typed');
  const sent = page.waitForRequest('**/graphql');
  await page.keyboard.press('Enter');
  assert.deepEqual(credentialOf(await sent), { 'x-api-key': 'phak_typed' });
});

test('Tab reaches every control, shows the focus, and leaves the page', async (t) => {
  const { page } = await open(t);
  await calls(page).rows.first().waitFor();
  const seen = [];
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const at = document.activeElement;
      if (!at || at === document.body) {
        return null;
      }
      const editorOf = at.matches('.graphiql-editor') ? at.closest('section')?.ariaLabel : null;
      // A field shows the focus of its controls.
      const rings = [at, at.closest('.page-field')].filter(Boolean).map((each) => getComputedStyle(each));
      const { x, width, height } = at.getBoundingClientRect();
      return {
        name: editorOf || at.ariaLabel || at.id || at.textContent,
        isSeen: rings.some(({ outlineStyle }) => outlineStyle !== 'none') && x >= 0 && width > 0 && height > 0,
      };
    });
    if (!stop) {
      break; // the focus has left the page
    }
    seen.push(stop);
  }
  assert.ok(seen.length < 60, `the focus does not leave the page: ${JSON.stringify(seen.slice(-3))}`);
  assert.deepEqual(
    seen.filter(({ isSeen }) => !isSeen),
    [],
    'invisible focus',
  );
  const names = seen.map(({ name }) => name);
  for (const wanted of [
    /^Kind of credential/,
    /^credential/,
    /^Show credential/,
    /^Show Documentation Explorer/,
    /^Show Fields/,
    /^Show Examples/,
    /^Show History/,
    /^Open settings dialog/,
    /^graphiql-session-tab-0/,
    /^Operation Editor/,
    /^Execute query/,
    /^Variables/,
    /^Result Window/,
    /Upstream calls/,
    /^Raw response/,
    /^workspace/,
    /^Docs/,
    /^Copy as curl/,
    /^Copy a link/,
    /^Calls of the last response/,
  ]) {
    assert.ok(
      names.some((name) => wanted.test(name)),
      `${wanted} is not among ${names.join(', ')}`,
    );
  }
});

test('the keyboard can enter and leave the editor', async (t) => {
  const { page, written } = await open(t);
  await page.getByText('"totalCount"').waitFor();
  await page.locator('.graphiql-query-editor .graphiql-editor').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText('query Tabbed { cvms(first: 1) { totalCount } }');
  await page.keyboard.press('Tab');
  await page.waitForFunction(() => document.activeElement?.ariaLabel?.startsWith('Execute query'));
  await written((text) => text === 'query Tabbed { cvms(first: 1) { totalCount } }');
  const response = page.waitForResponse((response) => response.request().postDataJSON()?.operationName === 'Tabbed');
  await page.locator('.graphiql-tab-active').getByText('Tabbed').waitFor();
  await page.keyboard.press('Enter');
  await response;
  await page.locator('.result-window').focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await calls(page).head.getAttribute('aria-expanded'), 'false');
});

/** The panel below the response. */
function calls(page) {
  const panel = page.getByRole('region', { name: 'Upstream calls' });
  const body = panel.locator('#explain');
  return {
    head: panel.getByRole('button', { name: /^Upstream calls/ }),
    body,
    rows: body.locator('tbody tr, tfoot tr'),
  };
}

function credential(page) {
  return page.getByLabel('Credential', { exact: true }).and(page.locator('input'));
}

function workspace(page) {
  return page.getByLabel('Workspace', { exact: true });
}

function withResolvers() {
  let resolve;
  const promise = new Promise((given) => (resolve = given));
  return { promise, resolve };
}

/**
 * Runs a command in a shell with the variables, and returns the JSON body and the headers that curl
 * sends.
 */
async function ran(command, variables) {
  const arrived = withResolvers();
  const server = http.createServer(async (request, response) => {
    const { host, 'user-agent': agent, accept, 'content-length': length, ...headers } = request.headers;
    arrived.resolve({ headers, body: JSON.parse(await text(request)) });
    response.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = `http://127.0.0.1:${server.address().port}`;
  assert.ok(command.includes(`'${origin}/graphql'`), command);
  await promisify(execFile)('sh', ['-c', command.replace(origin, target)], { env: { PATH: process.env.PATH, ...variables } });
  server.close();
  return arrived.promise;
}

function kind(page) {
  return page.getByLabel('Kind of credential');
}

function editor(page) {
  return page.getByRole('region', { name: 'Operation Editor' }).locator('.monaco-editor').first();
}

/**
 * Waits for the three workers, which start one after the other. If one fails, Monaco works without
 * it and logs a warning.
 */
async function allWorkers(page) {
  for (const name of ['editor', 'graphql', 'json']) {
    const isRunning = (worker) => worker.url().includes(`/assets/${name}.worker-`);
    if (!page.workers().some(isRunning)) {
      await page.waitForEvent('worker', isRunning);
    }
  }
}

/** Returns the credential headers of a request. */
function credentialOf(request) {
  const names = ['authorization', 'x-api-key', 'x-phala-workspace', 'cookie'];
  return Object.fromEntries(Object.entries(request.headers()).filter(([name]) => names.includes(name)));
}

/** Makes the page request an image, which its policy forbids. */
function provoke(page, address) {
  return page.evaluate((src) => document.body.append(Object.assign(new Image(), { src })), address);
}

/**
 * Starts a proxy that serves the gateway at / and under the prefix. It adds a report URI to each
 * policy, because a listener in the page does not get the reports of workers. Only one test at a
 * time can use it.
 */
async function startProxy() {
  let reports = [];
  const arrivals = new EventEmitter();
  const server = http.createServer(async (request, response) => {
    if (request.url === reportPath) {
      reports.push(JSON.parse(await text(request))['csp-report']);
      response.writeHead(204).end();
      arrivals.emit('report');
      return;
    }
    const target = new URL(
      request.url.startsWith(`${prefix}/`) ? request.url.slice(prefix.length) : request.url,
      gateway,
    );
    const onward = http.request(target, { method: request.method, headers: request.headers }, (upstream) => {
      const headers = { ...upstream.headers };
      if (headers['content-security-policy']) {
        headers['content-security-policy'] += `; report-uri ${reportPath}`;
      }
      response.writeHead(upstream.statusCode, headers);
      upstream.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    /** Waits until enough(reports) is true, and returns and removes the reports. */
    async reports(enough) {
      while (!enough(reports)) {
        await once(arrivals, 'report', { signal: AbortSignal.timeout(timeout) });
      }
      const taken = reports;
      reports = [];
      return taken;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * Opens the page in a new context, which ends with the test. Unless unchecked is set, the test
 * fails if there was a request to another origin, a policy report, or an error or warning in the
 * console.
 */
async function open(t, { url = `${origin}/`, demo = true, unchecked = false, prepare, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(timeout);
  const requests = [];
  const complaints = [];
  context.on('request', (request) => requests.push(request));
  page.on('websocket', (socket) => complaints.push(`websocket ${socket.url()}`));
  page.on('pageerror', (error) => complaints.push(String(error)));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) {
      complaints.push(`${message.type()}: ${message.text()}`);
    }
  });
  if (!demo) {
    await page.route(url, async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace(
        'name="cvmgraph-demo" content="true"',
        'name="cvmgraph-demo" content="false"',
      );
      await route.fulfill({ response, body });
    });
  }
  await prepare?.(page);
  t.after(async () => {
    if (!unchecked) {
      assert.deepEqual(complaints, [], 'the console');
      const addresses = requests.map((request) => request.url());
      assert.deepEqual(
        addresses.filter((address) => !address.startsWith(`${origin}/`)),
        [],
        'requests to other origins',
      );
      // Reports arrive in order, with a delay. The page's own reports arrive before this one.
      await provoke(page, 'http://127.0.0.1:9/last.png');
      const isLast = (report) => report['blocked-uri'].endsWith('/last.png');
      assert.deepEqual(
        (await proxy.reports((all) => all.some(isLast))).filter((report) => !isLast(report)),
        [],
        'reports',
      );
    }
    await context.close();
  });
  await page.goto(url);
  await editor(page).waitFor();

  const type = async (query) => {
    await editor(page).click();
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText(query);
    // GraphiQL reads the operation's name with a delay.
    const [name] = query.match(/(?<=query )\w+/);
    await page.locator('.graphiql-tab-active').getByText(name, { exact: true }).waitFor();
    return name;
  };
  /** Waits for the response to an earlier query, runs this query, and returns its request. */
  const ask = async (query) => {
    await page.locator('.graphiql-response').getByText('"data"').or(page.getByText('"errors"')).first().waitFor();
    const name = await type(query);
    const sent = page.waitForRequest((request) => request.postData()?.includes(`query ${name}`) ?? false);
    await page.keyboard.press('Control+Enter');
    return sent;
  };
  /** Opens an example in the open panel, and returns its request and result. */
  const example = async (title) => {
    const arrived = page.waitForResponse((response) => response.request().method() === 'POST');
    await page
      .locator('.page-examples button')
      .filter({ has: page.getByText(title, { exact: true }) })
      .click();
    const response = await arrived;
    const result = await response.json();
    await page.getByRole('button', { name: /^Execute query/ }).waitFor(); // the request has ended
    return { request: response.request(), result };
  };
  /**
   * Waits until the stored query satisfies the condition, and returns it. GraphiQL stores it with a
   * delay.
   */
  const written = async (condition) => {
    const stored = () => page.evaluate(() => localStorage['cvmgraph:graphiql:query'] ?? '');
    const deadline = Date.now() + timeout;
    for (let text = await stored(); ; text = await stored()) {
      if (condition(text)) {
        return text;
      }
      assert.ok(Date.now() < deadline, `the editor has ${text}`);
      await page.waitForTimeout(50);
    }
  };
  /** Types into the editor of the variables. */
  const variables = async (json) => {
    await page.getByRole('button', { name: 'Show editor tools' }).click();
    await page.getByRole('region', { name: 'Variables' }).locator('.monaco-editor').first().click();
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText(json);
  };
  /** Returns the text that the page has copied, and clears the clipboard. */
  const copied = async () => {
    await page.getByRole('status').getByText(/^Copied/).waitFor();
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    return page.evaluate(() => navigator.clipboard.readText());
  };
  return { page, requests, type, ask, example, written, variables, copied };
}
