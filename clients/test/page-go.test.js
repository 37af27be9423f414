// docs/clients/go.md: the client that genqlient generates, and its Go tests.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommands, source } from './support/pages.js';

test('the generated client is up to date, and its tests pass', async () => {
  const before = await source('clients/go/generated.go');
  await runCommands('go');
  assert.equal(await source('clients/go/generated.go'), before, 'generated.go was out of date: commit the new one');
});
