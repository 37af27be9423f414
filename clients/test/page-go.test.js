// docs/clients/go.md: the client that genqlient generates, and its Go tests.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { blocks, read, runCommands, source } from './support/pages.js';

test('the generated client is up to date, and its tests pass', async () => {
  const before = await source('clients/go/generated.go');
  await runCommands('go');
  assert.equal(await source('clients/go/generated.go'), before, 'generated.go was out of date: commit the new one');
});

test('the page works from an empty folder', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'cvms-'));
  t.after(() => rm(folder, { recursive: true }));
  const page = blocks(await read('go.md'));
  for (const { file } of page) {
    if (file) await copyFile(path.join(import.meta.dirname, '../..', file), path.join(folder, path.basename(file)));
  }
  const script = page.filter(({ language }) => language === 'sh').map(({ code }) => code);
  await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script.join('')], { cwd: folder }).catch((error) =>
    assert.fail(`the commands failed: ${error.stdout}${error.stderr}`),
  );
});
