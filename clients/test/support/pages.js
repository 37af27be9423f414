// The pages in docs/clients contain the code of these folders, and commands that the tests run.
// `node test/support/pages.js` copies the code into the pages.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = path.join(import.meta.dirname, '../../..');
const folder = path.join(root, 'docs/clients');
const fence = /(?:^<!-- ([^\n]*) -->\n)?^```(\S*)(?: (\S+))?\n(.*?)^```$/gms;

export const names = async () => (await readdir(folder)).filter((name) => name.endsWith('.md'));
export const read = (name) => readFile(path.join(folder, name), 'utf8');
export const source = (file) => readFile(path.join(root, file), 'utf8');

/**
 * Returns the fenced blocks of a page: the comment above, the language, the file name after it, and
 * the code.
 */
export const blocks = (text) => Array.from(text.matchAll(fence), ([, note, language, file, code]) => ({ note, language, file, code }));

/**
 * Runs the commands of a page in the client's folder, except commands with a comment above.
 * GATEWAY_URL is the gateway.
 */
export async function runCommands(name) {
  const script = blocks(await read(`${name}.md`))
    .filter(({ language, note }) => language === 'sh' && !note)
    .map(({ code }) => code);
  assert.ok(script.length > 0, `${name}.md has no commands`);
  const cwd = path.join(root, 'clients', name);
  const run = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script.join('')], { cwd });
  return run.catch((error) => assert.fail(`the commands of ${name}.md failed: ${error.stdout}${error.stderr}`));
}

async function update(name) {
  let text = await read(name);
  for (const { language, file, code } of blocks(text)) {
    if (!file) continue;
    const block = (body) => `\`\`\`${language} ${file}\n${body}\`\`\``;
    text = text.replace(block(code), block((await source(file)).replaceAll('$', '$$$$')));
  }
  await writeFile(path.join(folder, name), text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of await names()) await update(name);
}
