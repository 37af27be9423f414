import { transformAsync } from '@babel/core';
import { defineConfig } from 'vite';

/** What Relay wants of a bundler: graphql`…` becomes an import of what relay-compiler wrote. */
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
if (!gateway) throw new Error('GATEWAY_URL is to be the address of a gateway, such as http://localhost:8080');

export default defineConfig({
  plugins: [relay],
  server: { proxy: { '/graphql': gateway } }, // one origin for the page and the gateway: no CORS
});
