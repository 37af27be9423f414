import { transformAsync } from '@babel/core';
import { defineConfig } from 'vite';

/** Replaces graphql`…` by an import of the code that relay-compiler generated. */
const relay = {
  name: 'relay',
  enforce: 'pre',
  transform(code, id) {
    if (!/\.jsx?$/.test(id) || id.includes('/node_modules/')) return null;
    return transformAsync(code, {
      filename: id,
      presets: [['@babel/preset-react', { runtime: 'automatic' }]],
      plugins: [['relay', { eagerEsModules: true }]],
      configFile: false,
      sourceMaps: true,
    });
  },
};

const gateway = process.env.GATEWAY_URL;
if (!gateway) throw new Error('set GATEWAY_URL to the address of a gateway, such as http://localhost:8080');

export default defineConfig({
  plugins: [relay],
  server: { proxy: { '/graphql': gateway } }, // the page and the gateway have the same origin, so no CORS is needed
});
