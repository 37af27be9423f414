// GraphQL Yoga with node:http, as in its documentation.

import { createServer } from 'node:http';
import { useResponseCache } from '@graphql-yoga/plugin-response-cache';
import { createSchema, createYoga } from 'graphql-yoga';
import { pageLoader } from './pages.js';
import { resolvers } from './resolvers.js';
import { cacheSeconds, port, typeDefs } from './settings.js';

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: ({ request }) => ({ loader: pageLoader(request.headers.get('authorization')) }),
  graphiql: false,
  logging: 'error',
  plugins:
    cacheSeconds > 0
      ? [useResponseCache({ session: (request) => request.headers.get('authorization'), ttl: cacheSeconds * 1000 })]
      : [],
});

createServer(yoga).listen(port, '127.0.0.1');
