import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/**
 * Writes the licenses of all packages in the bundle and its workers to one file. Vite's own
 * build.license omits fonts and packages that only workers use.
 */
export function licenses({ fileName, also }: { fileName: string; also: readonly string[] }): {
  page: Plugin;
  worker: Plugin;
} {
  const packages = new Map<string, string>(also.map((name) => [name, join(import.meta.dirname, 'node_modules', name)]));
  const collect = (modules: Iterable<string>) => {
    for (const id of modules) {
      const found = /^\0?(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(id);
      if (found?.[1] && found[2]) {
        packages.set(found[2], found[1]);
      }
    }
  };
  return {
    worker: {
      name: 'licenses-of-workers',
      generateBundle() {
        collect(this.getModuleIds());
      },
    },
    page: {
      name: 'licenses',
      generateBundle() {
        collect(this.getModuleIds());
        this.emitFile({ type: 'asset', fileName, source: text(packages) });
      },
    },
  };
}

function text(packages: Map<string, string>): string {
  const namesByText = new Map<string, string[]>();
  for (const [name, folder] of [...packages].sort()) {
    const { license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { license: string };
    const notices = readdirSync(folder)
      .filter((file) => /^(licen[cs]e|copying|notice|thirdpartynotices)/i.test(file))
      .sort()
      .map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
    const key = [`License: ${license}`, ...notices].join('\n\n');
    namesByText.set(key, [...(namesByText.get(key) ?? []), name]);
  }
  const rule = '-'.repeat(72);
  return [...namesByText].map(([key, names]) => `${names.join(', ')}\n${key}\n`).join(`\n${rule}\n\n`);
}
