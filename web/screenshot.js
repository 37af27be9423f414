// Writes the README's picture, docs/page.png: the page of a gateway that runs with --demo at
// GATEWAY_URL, in Chromium, with the example "Explain" and its upstream calls.

import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from 'playwright-core';

const gateway = process.env.GATEWAY_URL ?? 'http://localhost:8080';
const target = path.join(import.meta.dirname, '..', 'docs', 'page.png');
const maxBytes = 300_000;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 760 }, colorScheme: 'light' });
  await page.goto(gateway);
  await page.getByText('"totalCount"').waitFor();
  await page.getByRole('button', { name: 'Show Examples' }).click();
  await page.locator('.page-examples button').filter({ has: page.getByText('Explain', { exact: true }) }).click();
  await page.locator('.page-calls').getByRole('row').nth(3).waitFor();
  await page.getByRole('button', { name: 'Hide Examples' }).click();
  await page.mouse.move(0, 0);
  await page.screenshot({ path: target });
} finally {
  await browser.close();
}
const { size } = await stat(target);
assert.ok(size <= maxBytes, `docs/page.png has ${size} bytes, at most ${maxBytes} are allowed`);
