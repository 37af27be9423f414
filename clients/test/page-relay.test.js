// docs/clients/relay.md, rendered by React.

import assert from 'node:assert/strict';
import { before, mock, test } from 'node:test';
import { Component, createElement, Suspense } from 'react';
import { assertCvms, endpoint, fresh, rejectedToken } from './support/gateway.js';
import { runCommands } from './support/pages.js';
import { build, openWindow } from './support/relay.js';
import { openPage } from './support/screen.js';
import { assertExactlyOnce, assertRefreshes, assertReloads, pageSize, until, watch, whole } from './support/walk.js';

let load; // loads a module of clients/relay
before(async () => {
  await runCommands('relay');
  load = await build();
  for (const kind of ['error', 'warn']) mock.method(console, kind, (...words) => assert.fail(`a warning: ${words.join(' ')}`));
});

class Boundary extends Component {
  state = {};
  static getDerivedStateFromError(error) {
    return { error };
  }
  render() {
    return this.state.error ? createElement('p', { role: 'alert' }, this.state.error.code) : this.props.children;
  }
}

/** Renders the list, and waits until there is a list or an error. headers can be changed later. */
async function open(t, headers, props, component = 'CvmList', environment = load('environment').createEnvironment(endpoint, () => headers)) {
  const window = openWindow();
  const { createRoot } = await import('react-dom/client');
  const { RelayEnvironmentProvider } = (await import('react-relay')).default;
  const container = window.document.body.appendChild(window.document.createElement('div'));
  const root = createRoot(container, { onCaughtError: () => {} });
  root.render(
    createElement(RelayEnvironmentProvider, { environment },
      createElement(Boundary, null,
        createElement(Suspense, { fallback: '…' }, createElement(load(component)[component], props)))),
  );
  t.after(() => {
    root.unmount();
    return window.happyDOM.close();
  });
  await until(() => container.querySelector('section, [role=alert], ul, p'), 'a list, a CVM, or an error');
  const screen = {
    environment,
    text: () => container.textContent,
    items: () => Array.from(container.querySelectorAll('li')),
    ids: () => screen.items().map(({ id }) => id),
    alert: () => container.querySelector('[role=alert]')?.textContent,
    button: (name) => Array.from(container.querySelectorAll('section > button')).find((b) => b.textContent === name),
    /** Requests a page, and waits until the list is longer or has no more pages. */
    async click(name) {
      const { length } = screen.items();
      screen.button(name).click();
      await screen.settled(() => screen.items().length !== length || !screen.button(name), 'a page');
    },
    /** Requests the list again, and waits until it is shown. */
    async reload() {
      const wire = watch(t);
      screen.button('refresh').click();
      await screen.settled(() => wire.responses.length > 0, 'the list');
      wire.stop();
    },
    settled: (condition, what) => until(() => container.querySelector('section[aria-busy=false]') && condition(), what),
  };
  return screen;
}

test('the page shows twenty CVMs, and its button loads twenty more', async (t) => {
  const page = await openPage(t);
  const shown = async (n) => {
    await page.locator('li').nth(n - 1).waitFor();
    const items = await page.locator('li').evaluateAll((all) => all.map(({ id, textContent }) => ({ id, name: textContent.split(' ')[0] })));
    return assertCvms(items, n);
  };
  const first = await shown(20);
  await page.getByRole('button', { name: 'next' }).click();
  assert.deepEqual((await shown(40)).slice(0, 20), first);
});

const bearer = (token) => ({ Authorization: `Bearer ${token}` });

for (const [name, props, button] of [
  ['forward', { first: pageSize }, 'next'],
  ['backward', { last: pageSize }, 'previous'],
]) {
  test(`${name}: every CVM that remains, exactly once`, (t) =>
    assertExactlyOnce(t, async (token) => {
      const screen = await open(t, bearer(token), { ...props, size: pageSize });
      while (screen.button(button)) await screen.click(button);
      return screen.ids();
    }));
}

test('a CVM is fetched again by its id', async (t) => {
  const screen = await open(t, bearer(fresh('token')), { first: 5, size: 5 });
  const [id] = screen.ids();
  const requests = watch(t, ({ nodes }) => nodes);
  screen.environment.commitUpdate((store) => store.get(id).setValue('out of date', 'status'));
  await until(() => screen.items()[0].querySelector('em').textContent === 'out of date', 'the changed status on the screen');
  screen.items()[0].querySelector('button').click();
  await until(() => screen.items()[0].querySelector('em').textContent !== 'out of date', 'the fetched status');
  requests.stop();
  assert.deepEqual(requests.responses.map(({ data }) => data.nodes.map((node) => [node.__typename, node.id])), [[['Cvm', id]]]);
  assert.equal(requests.requests[0].headers['Cache-Control'], 'no-cache');
  assert.equal(screen.items()[0].querySelector('em').textContent, requests.responses[0].data.nodes[0].status);
});

/** Renders a list, and waits until one of its CVMs is removed. */
async function openOutdated(t) {
  const token = fresh('changing-');
  const screen = await open(t, bearer(token), { first: 80, size: 5 });
  const ids = screen.ids();
  let gone;
  while (!gone) {
    const left = await whole(token);
    gone = ids.find((id) => !left.has(id));
  }
  return { token, screen, ids, gone };
}

test('a CVM that was removed disappears when it is fetched again', async (t) => {
  const { screen, ids, gone } = await openOutdated(t);
  screen.items()[ids.indexOf(gone)].querySelector('button').click();
  await until(() => !screen.ids().includes(gone), 'the CVM to disappear');
  assert.deepEqual(screen.ids(), ids.filter((id) => id !== gone));
});

test('a CVM that was removed disappears from the list when it is opened', async (t) => {
  const { token, screen, gone } = await openOutdated(t);
  const page = await open(t, bearer(token), { id: gone }, 'CvmPage', screen.environment);
  await until(() => /does not exist/.test(page.text()), 'the message');
  await until(() => !screen.ids().includes(gone), 'the CVM to disappear');
});

test('a refresh updates the list with one request and keeps its order', async (t) => {
  const screen = await open(t, bearer(fresh('changing-')), { first: 80, size: 5 });
  await assertRefreshes(
    t,
    () => screen.items().map((item) => ({ id: item.id, status: item.querySelector('em').textContent })),
    (ids) => load('refresh').refresh(screen.environment, ids),
  );
});

test('a reload leaves no removed CVM and shows new ones, and the list goes on', async (t) => {
  const screen = await open(t, bearer(fresh('changing-')), { first: 20, size: 20 });
  await screen.click('next');
  await assertReloads(t, screen.ids, screen.reload);
  assert.equal(screen.ids().length, 40);
  await screen.click('next');
  assert.equal(screen.ids().length, 60);
});

test('a reload of a list from its end keeps the end, and bypasses the cache', async (t) => {
  const screen = await open(t, bearer(fresh('token')), { last: 20, size: 20 });
  await screen.click('previous');
  const ids = screen.ids();
  const wire = watch(t);
  await screen.reload();
  assert.deepEqual(screen.ids(), ids);
  assert.deepEqual(wire.requests.map(({ headers }) => headers['Cache-Control']), ['no-cache']);
});

test('a failed refresh, of the list or of one CVM, shows its error code and changes nothing', async (t) => {
  const headers = bearer(fresh('token'));
  const { Authorization } = headers;
  const screen = await open(t, headers, { first: 5, size: 5 });
  const ids = screen.ids();
  headers.Authorization = `Bearer ${rejectedToken}`;
  const [item] = screen.items();
  for (const button of [screen.button('refresh'), item.querySelector('button')]) {
    button.click();
    assert.equal(await until(screen.alert, 'an error'), 'UNAUTHENTICATED');
    assert.deepEqual(screen.ids(), ids);
    headers.Authorization = Authorization;
    button.click();
    await until(() => screen.alert() === undefined, 'no error');
    headers.Authorization = `Bearer ${rejectedToken}`;
  }
});

test('a name opens a CVM, and the way back shows the list', async (t) => {
  const page = await openPage(t);
  const link = page.locator('li a').first();
  const name = await link.textContent();
  await link.click();
  await page.getByText('vCPU').waitFor();
  assert.equal(await page.locator('li').count(), 1);
  await page.getByText('all CVMs').click();
  await page.locator('li').nth(19).waitFor();
  assert.equal(await page.locator('li a').first().textContent(), name);
  await page.evaluate(() => (location.hash = 'Q3ZtOm5vbmU'));
  await page.getByText('does not exist').waitFor();
});

test('one CVM has its own page', async (t) => {
  const token = fresh('token');
  const [id] = (await open(t, bearer(token), { first: 5, size: 5 })).ids();
  const page = await open(t, bearer(token), { id }, 'CvmPage');
  await until(() => page.ids().length > 0, `the CVM, not ${page.text()}`);
  assert.deepEqual(page.ids(), [id]);
  const unknown = await open(t, bearer(token), { id: 'Q3ZtOm5vbmU' }, 'CvmPage');
  assert.match(unknown.text(), /does not exist/);
});

test('a rejected credential is UNAUTHENTICATED in the nearest error boundary', async (t) => {
  const screen = await open(t, bearer(rejectedToken), { first: 5, size: 5 });
  assert.equal(screen.alert(), 'UNAUTHENTICATED');
});

test('an invalid variable is GRAPHQL_VALIDATION_FAILED in the nearest error boundary', async (t) => {
  const screen = await open(t, bearer(fresh('token')), { first: 'five', size: 5 });
  assert.equal(screen.alert(), 'GRAPHQL_VALIDATION_FAILED');
});

test('a failed page shows its error code, does not change the list, and can be requested again', async (t) => {
  const headers = bearer(fresh('token'));
  const { Authorization } = headers;
  const screen = await open(t, headers, { first: 5, size: 5 });
  const ids = screen.ids();
  headers.Authorization = `Bearer ${rejectedToken}`;
  screen.button('next').click();
  assert.equal(await screen.settled(screen.alert, 'an error'), 'UNAUTHENTICATED');
  assert.deepEqual(screen.ids(), ids);
  headers.Authorization = Authorization;
  await screen.click('next');
  await until(() => screen.alert() === undefined, 'no error');
  assertCvms(screen.items().map(({ id, textContent }) => ({ id, name: textContent.split(' ')[0] })), 10);
});
