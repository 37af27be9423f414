// Mercurius with Fastify and its just-in-time compiler.

import Fastify from 'fastify';
import mercurius from 'mercurius';
import cache from 'mercurius-cache';
import { pageLoader } from './pages.js';
import { resolvers } from './resolvers.js';
import { cacheSeconds, coalesce, port, typeDefs } from './settings.js';

const app = Fastify();
app.register(mercurius, {
  schema: typeDefs,
  resolvers,
  jit: 1,
  context: ({ headers }) => ({ authorization: headers.authorization, loader: pageLoader(headers.authorization) }),
});
if (cacheSeconds > 0 || coalesce) {
  // With a ttl of 0, nothing is cached, but calls in flight are shared.
  const extendKey = (_source, _args, { authorization }) => authorization;
  app.register(cache, { ttl: cacheSeconds, policy: { Query: { cvms: { extendKey } } } });
}
await app.listen({ port, host: '127.0.0.1' });
