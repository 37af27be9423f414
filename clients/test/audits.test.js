// graphql-http's audits of GraphQL over HTTP.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditServer, serverAudits } from 'graphql-http';
import { endpoint } from './support/gateway.js';

const total = 61;

test('every audit of GraphQL over HTTP is ok', async (t) => {
  const audits = serverAudits({ url: endpoint });
  assert.equal(audits.length, total);
  assert.equal(new Set(audits.map((audit) => audit.id)).size, total);
  for (const { id, name, fn } of audits) {
    await t.test(`${id} ${name}`, async () => {
      const { status, reason } = await fn();
      assert.equal(status, 'ok', reason);
    });
  }
});

test(`auditServer counts ${total} of ${total}`, async () => {
  const results = await auditServer({ url: endpoint });
  const failed = results.filter((result) => result.status !== 'ok');
  assert.deepEqual(failed.map(({ id, name, status, reason }) => ({ id, name, status, reason })), []);
  assert.equal(results.length, total);
});
