// The settings of a server, which the benchmark passes in environment variables, and the common
// schema.

import { readFileSync } from 'node:fs';

const required = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`set the environment variable ${name}`);
  return value;
};

/** The port to listen on at the loopback interface. */
export const port = Number(required('PORT'));

/** The base URL of the REST API, without a trailing slash. */
export const upstream = required('UPSTREAM');

/** The number of seconds for which responses are cached. If 0, they are not cached. */
export const cacheSeconds = Number(process.env.CACHE_SECONDS ?? 0);

/**
 * Whether identical calls in flight share one upstream call, if the server supports that without a
 * cache.
 */
export const coalesce = process.env.COALESCE === '1';

export const typeDefs = readFileSync(new URL('../schema.graphqls', import.meta.url), 'utf8');
