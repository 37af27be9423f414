// The React components of docs/clients/apollo.md and docs/clients/urql.md.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transformFileAsync } from '@babel/core';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ApolloProvider } from '@apollo/client/react';
import { createElement } from 'react';
import { Provider } from 'urql';
import { createClient as createApollo } from '../apollo/client.js';
import { createClient as createUrql } from '../urql/client.js';
import { assertCvms, endpoint, fresh, rejectedToken } from './support/gateway.js';
import { openWindow } from './support/relay.js';
import { assertReloads, until, watch } from './support/walk.js';

const clients = {
  apollo: (headers, child) => createElement(ApolloProvider, { client: createApollo({ uri: endpoint, headers }) }, child),
  urql: (headers, child) => createElement(Provider, { value: createUrql({ url: endpoint, headers }) }, child),
};

/** Compiles a client's component beside its source, and returns it. */
async function component(name) {
  const folder = path.join(import.meta.dirname, '..', name);
  const { code } = await transformFileAsync(path.join(folder, 'CvmList.jsx'), {
    presets: [['@babel/preset-react', { runtime: 'automatic' }]],
    configFile: false,
  });
  const compiled = path.join(folder, 'CvmList.build.js');
  await writeFile(compiled, code);
  try {
    return (await import(compiled)).CvmList;
  } finally {
    await rm(compiled);
  }
}

/** Renders the list, and waits until there are rows or an error. */
async function open(t, name, token) {
  const CvmList = await component(name);
  const window = openWindow();
  const { createRoot } = await import('react-dom/client');
  const container = window.document.body.appendChild(window.document.createElement('div'));
  const root = createRoot(container);
  root.render(clients[name]({ authorization: `Bearer ${token}` }, createElement(CvmList, { size: 20 })));
  t.after(() => {
    root.unmount();
    return window.happyDOM.close();
  });
  await until(() => container.querySelector('li, [role=alert]'), 'a list, or an error');
  const screen = {
    rows: () => Array.from(container.querySelectorAll('li')).map(({ id, textContent }) => ({ id, name: textContent.split(' ')[0] })),
    ids: () => screen.rows().map(({ id }) => id),
    alert: () => container.querySelector('[role=alert]')?.textContent,
    async click(name) {
      const wire = watch(t);
      Array.from(container.querySelectorAll('button')).find(({ textContent }) => textContent === name).click();
      await until(() => wire.responses.length > 0 && container.querySelector('[aria-busy=false]'), 'the response');
      wire.stop();
    },
  };
  return screen;
}

for (const name of Object.keys(clients)) {
  test(`${name}: the component loads pages, and its refresh leaves no removed CVM and shows new ones`, async (t) => {
    const screen = await open(t, name, fresh('changing-'));
    await screen.click('next');
    await until(() => screen.ids().length === 40, 'two pages');
    await assertReloads(t, screen.ids, () => screen.click('refresh'));
    await screen.click('next');
    await until(() => screen.ids().length === 60, 'the next page');
    assertCvms(screen.rows(), 60);
  });

  test(`${name}: the component shows the code of an error`, async (t) => {
    assert.equal((await open(t, name, rejectedToken)).alert(), 'UNAUTHENTICATED');
  });
}
