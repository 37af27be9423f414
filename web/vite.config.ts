import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { licenses } from './licenses.ts';

const { page, worker } = licenses({
  fileName: 'assets/licenses.txt',
  also: ['@fontsource/fira-code', '@fontsource/roboto'],
});

const prettierJsonc = fileURLToPath(new URL('src/prettierJsonc.ts', import.meta.url));

export default defineConfig({
  // The gateway may stand under a path of a proxy: every address in the output is relative.
  base: './',
  publicDir: false,
  plugins: [page],
  resolve: {
    alias: {
      'prettier/parser-babel': prettierJsonc,
      'prettier/plugins/estree': prettierJsonc,
      'prettier/parser-graphql': 'prettier/plugins/graphql', // the same under two names
    },
  },
  worker: { format: 'es', plugins: () => [worker] },
  build: {
    outDir: '../internal/playground/dist',
    emptyOutDir: true,
    // Files rather than data: addresses, so that the page's policy need not allow data: fonts.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 3000,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
  // For the development server, which does not find CommonJS packages inside workers by itself.
  optimizeDeps: {
    include: ['graphql-language-service > nullthrows', 'monaco-graphql > picomatch-browser', 'prettier/parser-graphql'],
  },
  server: {
    proxy: { '/graphql': process.env.GATEWAY_URL ?? 'http://localhost:8080' },
  },
});
