// The page in Chromium, over a gateway that runs with --demo at CVMGRAPH_URL.

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

const gateway = process.env.CVMGRAPH_URL && new URL(process.env.CVMGRAPH_URL).origin;
const prefix = '/some/path';
const reportPath = '/policy-reports';
const patience = 30_000; // ms, for one step on a busy machine
const screenshots = process.env.CVMGRAPH_SCREENSHOTS ?? path.join(import.meta.dirname, '..', 'screenshots');

let browser;
let proxy; // in front of the gateway
let origin; // the proxy's

before(async () => {
  assert.ok(gateway, 'CVMGRAPH_URL must name a gateway that runs with --demo');
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

test('the demo query runs at once, offline, and nothing is reported', async (t) => {
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

test('what must not be is seen: the test before can fail', async (t) => {
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

test('the credential goes into the header of its kind', async (t) => {
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

test('the kind follows what is pasted until the user chooses', async (t) => {
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
  assert.equal(await kind(page).inputValue(), 'bearer', 'the choice stands');
  await credential(page).fill('');
  await credential(page).fill('phak_abcd');
  assert.equal(await kind(page).inputValue(), 'apiKey', 'until the field is empty');
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

test('a wrong credential is reported in words until it is changed', async (t) => {
  const { page, ask } = await open(t);
  await kind(page).selectOption('bearer');
  await credential(page).fill('invalid');
  await ask('query Wrong { cvms(first: 1) { totalCount } }');
  await page.getByRole('status').getByText('The upstream does not accept this credential').waitFor();
  await page.locator('.graphiql-response').getByText('"UNAUTHENTICATED"').waitFor();
  assert.equal(await credential(page).getAttribute('aria-invalid'), 'true');
  await page.screenshot({ path: path.join(screenshots, 'rejected.png') });
  await credential(page).fill('valid');
  await page.getByRole('status').getByText('kept in this page’s memory only').waitFor();
});

test('a credential that no header can hold is not sent', async (t) => {
  const { page, ask } = await open(t);
  await credential(page).fill('phak_\u{1f511}');
  await page.getByRole('status').getByText('This cannot be sent.').waitFor();
  assert.deepEqual(credentialOf(await ask('query Flawed { cvms(first: 1) { totalCount } }')), {});
});

test('the credential is in no storage, and gone after a reload', async (t) => {
  const { page, ask } = await open(t);
  await credential(page).fill('phak_keep_me_secret');
  await ask('query Stored { cvms(first: 1) { totalCount } }');
  // GraphiQL stores the query late; what would be stored with it is there then.
  await page.waitForFunction(() => JSON.stringify(localStorage).includes('query Stored'));
  await page.waitForFunction(() => localStorage['cvmgraph:graphiql:tabState']?.includes('query Stored'));
  const kept = await page.evaluate(async () =>
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
  assert.ok(!kept.includes('keep_me_secret'), kept);
  await page.reload();
  await page.getByText('query Stored').first().waitFor(); // what may be kept is
  assert.equal(await credential(page).inputValue(), '');
});

test('the documentation opens and tells the fields', async (t) => {
  const { page } = await open(t);
  await page.getByText('"totalCount"').waitFor();
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.locator('.graphiql-plugin').getByRole('link', { name: 'Query', exact: true }).click();
  await page.locator('.graphiql-plugin').getByRole('link', { name: 'cvms', exact: true }).waitFor();
  await page.screenshot({ path: path.join(screenshots, 'docs.png') });
});

test('completion knows the schema', async (t) => {
  const { page } = await open(t);
  await page.getByText('"totalCount"').waitFor();
  await editor(page).click();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('{ cvms { pageI');
  await page.locator('.suggest-widget').getByText('pageInfo').first().waitFor();
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

test('without demo nothing runs at once, and the page tells where a key comes from', async (t) => {
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

test('a gateway that has gone is reported in words', async (t) => {
  const { page, type } = await open(t, { unchecked: true });
  await page.getByText('"totalCount"').waitFor();
  await page.route('**/graphql', (route) => route.abort('connectionrefused'));
  await type('query Gone { __typename }');
  await page.keyboard.press('Control+Enter');
  await page.getByRole('status').getByText('The gateway does not answer.').waitFor();
  const response = page.locator('.graphiql-response');
  await response.getByText('The gateway does not answer.').waitFor();
  assert.equal(await response.getByText('stack').count(), 0);
  assert.equal(await credential(page).getAttribute('aria-invalid'), 'false');
  await page.unroute('**/graphql');
  await page.keyboard.press('Control+Enter');
  await page.getByRole('status').getByText('Demo data').waitFor();
});

test('an answer that is not GraphQL is reported in words', async (t) => {
  const { page, type } = await open(t, { unchecked: true });
  await page.getByText('"totalCount"').waitFor();
  await page.route('**/graphql', (route) => route.fulfill({ status: 502, body: '<html>Bad Gateway</html>' }));
  await type('query Bad { __typename }');
  await page.keyboard.press('Control+Enter');
  await page.getByRole('status').getByText('not GraphQL (HTTP 502)').waitFor();
});

test('without introspection the page works and says what is missing', async (t) => {
  const { page } = await open(t, {
    async prepare(page) {
      await page.route('**/graphql', (route) =>
        route.request().postDataJSON().operationName === 'IntrospectionQuery'
          ? route.fulfill({ json: { data: null, errors: [{ message: 'introspection disabled' }] } })
          : route.continue(),
      );
    },
  });
  await page.getByRole('status').getByText('does not tell its schema').waitFor();
  await page.locator('.graphiql-response').getByText('"totalCount"').waitFor();
});

test('a request can be stopped', async (t) => {
  const { page, type } = await open(t, { unchecked: true });
  await page.getByText('"totalCount"').waitFor();
  await page.route('**/graphql', () => {}); // never answered
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
  test(`the page follows the system to ${name}, and GraphiQL's switch away from it`, async (t) => {
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
  const { page } = await open(t, { viewport: { width: 360, height: 740 } });
  await page.getByText('"totalCount"').waitFor();
  await page.screenshot({ path: path.join(screenshots, 'narrow.png') });
  const fits = async () => {
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, 'no horizontal scroll');
    assert.equal(await page.evaluate(() => document.documentElement.scrollHeight), 740, 'no vertical scroll');
  };
  await fits();
  for (const pane of ['.graphiql-query-editor', '.graphiql-response', '.page-field']) {
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
});

test('the credential is reached and used by keyboard alone', async (t) => {
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

function credential(page) {
  return page.getByLabel('Credential', { exact: true }).and(page.locator('input'));
}

function kind(page) {
  return page.getByLabel('Kind of credential');
}

function editor(page) {
  return page.getByRole('region', { name: 'Operation Editor' }).locator('.monaco-editor').first();
}

/** Waits for the three workers, which start one by one. Where one cannot, Monaco works without, and warns. */
async function allWorkers(page) {
  for (const name of ['editor', 'graphql', 'json']) {
    const isRunning = (worker) => worker.url().includes(`/assets/${name}.worker-`);
    if (!page.workers().some(isRunning)) {
      await page.waitForEvent('worker', isRunning);
    }
  }
}

/** The headers of a request that say who asks. */
function credentialOf(request) {
  const names = ['authorization', 'x-api-key', 'x-phala-workspace', 'cookie'];
  return Object.fromEntries(Object.entries(request.headers()).filter(([name]) => names.includes(name)));
}

/** Makes the page ask for an image at the address, which the policy forbids. */
function provoke(page, address) {
  return page.evaluate((src) => document.body.append(Object.assign(new Image(), { src })), address);
}

/**
 * Starts a proxy to the gateway, which stands at / and under the prefix. It adds to each policy where to report, so that
 * reports of workers, too, come in: those reach no listener in the page. One test at a time uses it.
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
    const onward = http.request(target, { method: request.method, headers: request.headers }, (answer) => {
      const headers = { ...answer.headers };
      if (headers['content-security-policy']) {
        headers['content-security-policy'] += `; report-uri ${reportPath}`;
      }
      response.writeHead(answer.statusCode, headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    /** Waits for reports such that enough holds, and returns and forgets them. */
    async reports(enough) {
      while (!enough(reports)) {
        await once(arrivals, 'report', { signal: AbortSignal.timeout(patience) });
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
 * Opens the page in a context of its own, which ends with the test. Unless the test is unchecked, it then fails if there
 * was a request to another origin, a report of a policy, or an error or a warning in the console.
 */
async function open(t, { url = `${origin}/`, demo = true, unchecked = false, prepare, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
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
      // Reports come in order, a little late: those before this one are the page's own.
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
    // GraphiQL takes the operation's name from the text a little later.
    const [name] = query.match(/(?<=query )\w+/);
    await page.locator('.graphiql-tab-active').getByText(name, { exact: true }).waitFor();
    return name;
  };
  /** Runs the query, and returns the request that it made. */
  const ask = async (query) => {
    await page.locator('.graphiql-response').getByText('"totalCount"').or(page.getByText('"errors"')).first().waitFor();
    const name = await type(query);
    const sent = page.waitForRequest((request) => request.postData()?.includes(`query ${name}`) ?? false);
    await page.keyboard.press('Control+Enter');
    return sent;
  };
  return { page, requests, type, ask };
}
