// What the benchmark tells a server, and the schema that all of them serve.

import { readFileSync } from 'node:fs';

const required = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing`);
  return value;
};

/** The port to listen on, on loopback. */
export const port = Number(required('PORT'));

/** The base of the REST API, without a slash at its end. */
export const upstream = required('UPSTREAM');

/** Seconds for which answers may be kept; 0 is not at all. */
export const cacheSeconds = Number(process.env.CACHE_SECONDS ?? 0);

/** Whether equal calls in flight become one, where the server can do that without keeping answers. */
export const coalesce = process.env.COALESCE === '1';

export const typeDefs = readFileSync(new URL('../schema.graphqls', import.meta.url), 'utf8');
