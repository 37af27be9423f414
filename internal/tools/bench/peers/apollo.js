// Apollo Server with Fastify.

import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginCacheControl } from '@apollo/server/plugin/cacheControl';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import responseCachePlugin from '@apollo/server-plugin-response-cache';
import fastifyApollo, { fastifyApolloDrainPlugin } from '@as-integrations/fastify';
import Fastify from 'fastify';
import { pageLoader } from './pages.js';
import { resolvers } from './resolvers.js';
import { cacheSeconds, port, typeDefs } from './settings.js';

const app = Fastify();
const plugins = [fastifyApolloDrainPlugin(app), ApolloServerPluginLandingPageDisabled()];
if (cacheSeconds > 0) {
  plugins.push(
    ApolloServerPluginCacheControl({ defaultMaxAge: cacheSeconds }),
    responseCachePlugin({ sessionId: async ({ contextValue }) => contextValue.authorization }),
  );
}
const server = new ApolloServer({ typeDefs, resolvers, plugins });
await server.start();
await app.register(fastifyApollo(server), {
  context: async ({ headers }) => ({ authorization: headers.authorization, loader: pageLoader(headers.authorization) }),
});
await app.listen({ port, host: '127.0.0.1' });
