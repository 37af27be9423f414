// The pages of docs/clients contain all code of the clients and no other code.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { blocks, names, read, source } from './support/pages.js';

const clients = ['apollo', 'codegen', 'go', 'relay', 'urql'];
const commands = ['codegen.md', 'go.md', 'relay.md']; // their tests run the commands

test('every client has a page, and every page is in the index', async () => {
  const pages = await names();
  assert.deepEqual(pages.sort(), ['README.md', ...clients.map((name) => `${name}.md`)].sort());
  const index = await read('README.md');
  for (const name of clients) assert.match(index, new RegExp(`\\(${name}\\.md\\)`));
});

for (const name of await names()) {
  test(`${name} has the code of the files that it names, and no other code`, async () => {
    for (const { language, file, code } of blocks(await read(name))) {
      assert.ok(file || (language === 'sh' && commands.includes(name)), `no test runs this: ${code}`);
      if (file) assert.equal(code, await source(file), `${file} differs: npm run pages copies it into the page`);
    }
  });
}

for (const name of clients) {
  test(`${name}.md shows every file of clients/${name}`, async () => {
    const { stdout } = await promisify(execFile)('git', ['ls-files', '.'], { cwd: new URL(`../${name}`, import.meta.url) });
    const written = stdout.split('\n').filter((file) => file && !/^(generated\.go|go\.(mod|sum)|cvms_test\.go)$/.test(file));
    const shown = blocks(await read(`${name}.md`)).flatMap(({ file }) => file ?? []);
    assert.deepEqual(shown.sort(), written.map((file) => `clients/${name}/${file}`).sort());
  });
}
