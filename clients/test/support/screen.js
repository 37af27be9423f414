// Opens the page that the last command of docs/clients/relay.md serves, in Chromium.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { blocks, read } from './pages.js';

const timeout = 60_000; // ms, for one step on a busy machine

/** Runs the command that serves the page, and returns its URL. */
async function serve(t) {
  const { note, code } = blocks(await read('relay.md')).find(({ note }) => note?.startsWith('keeps running: '));
  const url = note.slice('keeps running: '.length);
  const cwd = path.join(import.meta.dirname, '../../relay');
  const server = spawn('bash', ['-c', `exec ${code}`], { cwd, detached: true, stdio: 'ignore' });
  t.after(() => process.kill(-server.pid)); // npx and its child processes
  for (const begun = Date.now(); ; ) {
    if (await fetch(url).then(({ ok }) => ok, () => false)) return url;
    assert.equal(server.exitCode, null, `${code} has ended`);
    assert.ok(Date.now() - begun < timeout, `no response from ${url}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Opens the page and returns it. The test fails if the page throws an error. */
export async function openPage(t) {
  const url = await serve(t);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'], // CI is root
  });
  t.after(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(timeout);
  const complaints = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  t.after(() => assert.deepEqual(complaints, []));
  await page.goto(url);
  return page;
}
