// docs/clients/go.md: genqlient's client, and the Go tests beside it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommands, source } from './support/pages.js';

test('the generated client is current, and its tests pass', async () => {
  const before = await source('clients/go/generated.go');
  await runCommands('go');
  assert.equal(await source('clients/go/generated.go'), before, 'generated.go was out of date: commit what is there now');
});
