// Compiles clients/relay/src with Babel to clients/relay/build, in place of a bundler, and provides
// a document to render into.

import { transformFileAsync } from '@babel/core';
import { Window } from 'happy-dom';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

const folder = path.join(import.meta.dirname, '../../relay');
const require = createRequire(import.meta.url);

/**
 * Compiles the sources and Relay's artifacts, and returns a function that loads a compiled module
 * by its name.
 */
export async function build() {
  const [src, out] = [path.join(folder, 'src'), path.join(folder, 'build')];
  await rm(out, { recursive: true, force: true });
  await mkdir(path.join(out, '__generated__'), { recursive: true });
  await writeFile(path.join(out, 'package.json'), '{ "type": "commonjs" }\n');
  for (const name of await readdir(src, { recursive: true })) {
    if (!/\.jsx?$/.test(name)) continue;
    const { code } = await transformFileAsync(path.join(src, name), {
      presets: [['@babel/preset-react', { runtime: 'automatic' }]],
      plugins: [['relay', { eagerEsModules: true }], '@babel/transform-modules-commonjs'],
      configFile: false,
    });
    await writeFile(path.join(out, name.replace(/\.jsx$/, '.js')), code);
  }
  return (name) => require(path.join(out, name));
}

/** Creates a window and makes it the global one, which React uses. The caller closes it. */
export function openWindow() {
  const window = new Window();
  const { document, navigator } = window;
  Object.assign(globalThis, { window, document, navigator });
  return window;
}
