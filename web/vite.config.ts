import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { licenses } from './licenses.ts';

const { page, worker } = licenses({
  fileName: 'assets/licenses.txt',
  also: ['@fontsource/fira-code', '@fontsource/roboto'],
});

const prettierJsonc = fileURLToPath(new URL('src/prettierJsonc.ts', import.meta.url));

export default defineConfig({
  // A proxy can serve the gateway under a path, so every URL in the output is relative.
  base: './',
  publicDir: false,
  plugins: [page],
  resolve: {
    alias: {
      'prettier/parser-babel': prettierJsonc,
      'prettier/plugins/estree': prettierJsonc,
      'prettier/parser-graphql': 'prettier/plugins/graphql', // two names of the same module
    },
  },
  worker: { format: 'es', plugins: () => [worker] },
  build: {
    outDir: '../internal/playground/dist',
    emptyOutDir: true,
    // Fonts are files and not data: URLs, so that the page's policy does not need to allow data:
    // fonts.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 3000,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
  // For the development server, which does not detect CommonJS packages in workers.
  optimizeDeps: {
    include: ['graphql-language-service > nullthrows', 'monaco-graphql > picomatch-browser', 'prettier/parser-graphql'],
  },
  server: {
    proxy: { '/graphql': process.env.GATEWAY_URL ?? 'http://localhost:8080' },
  },
});
