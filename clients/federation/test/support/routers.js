// Routers over HTTP. Each forwards its caller's Authorization to every subgraph.

import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { createGatewayRuntime } from '@graphql-hive/gateway';
import { serve } from './serve.js';

async function apollo(t, supergraphSdl, port = 0) {
  const gateway = new ApolloGateway({
    supergraphSdl,
    buildService: ({ url }) =>
      new RemoteGraphQLDataSource({
        url,
        willSendRequest({ request, context }) {
          if (context.authorization) request.http.headers.set('authorization', context.authorization);
        },
      }),
  });
  const server = new ApolloServer({ gateway });
  const { url } = await startStandaloneServer(server, {
    listen: { port, host: '127.0.0.1' },
    context: async ({ req }) => ({ authorization: req.headers.authorization }),
  });
  t.after(() => server.stop());
  return url;
}

async function hive(t, supergraph, port = 0) {
  const runtime = createGatewayRuntime({
    supergraph,
    logging: false,
    maskedErrors: false,
    propagateHeaders: {
      fromClientToSubgraphs({ request }) {
        const authorization = request.headers.get('authorization');
        return authorization ? { authorization } : {};
      },
    },
  });
  t.after(() => runtime[Symbol.asyncDispose]());
  return serve(t, runtime, port);
}

/**
 * Functions that start a router for a supergraph and return its URL, by the name of the package.
 * The default is a free port.
 */
export const routers = { '@apollo/gateway': apollo, '@graphql-hive/gateway': hive };
