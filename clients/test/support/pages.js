// The pages in docs/clients: their code is that of the files here, and their commands run. `node test/support/pages.js` writes the
// files into the pages.

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

/** The blocks of a page between fences: the comment above, the language, the file that is named behind it, the text. */
export const blocks = (text) => Array.from(text.matchAll(fence), ([, note, language, file, code]) => ({ note, language, file, code }));

/** Runs the commands of a page, but those with a comment above, in its folder here, with the gateway that GATEWAY_URL names. */
export async function runCommands(name) {
  const script = blocks(await read(`${name}.md`))
    .filter(({ language, note }) => language === 'sh' && !note)
    .map(({ code }) => code);
  assert.ok(script.length > 0, `${name}.md has no commands`);
  const cwd = path.join(root, 'clients', name);
  const run = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script.join('')], { cwd });
  return run.catch((error) => assert.fail(`the commands of ${name}.md: ${error.stdout}${error.stderr}`));
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
