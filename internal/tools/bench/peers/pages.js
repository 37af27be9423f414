// Loads pages of the upstream's list over persistent connections.

import DataLoader from 'dataloader';
import { Pool } from 'undici';
import { upstream } from './settings.js';

const { origin, pathname } = new URL(upstream);
const pool = new Pool(origin);

async function fetchPage({ page, size }, authorization) {
  const { statusCode, body } = await pool.request({
    method: 'GET',
    path: `${pathname}/cvms/paginated?page=${page}&page_size=${size}`,
    headers: { accept: 'application/json', authorization, 'x-phala-version': '2025-10-28' },
  });
  if (statusCode !== 200) {
    await body.dump();
    throw new Error(`the upstream returned status ${statusCode}`);
  }
  return body.json();
}

/**
 * Returns a page loader for one request. It fetches each page once, with the caller's credential.
 */
export const pageLoader = (authorization) =>
  new DataLoader((keys) => Promise.all(keys.map((key) => fetchPage(key, authorization))), {
    cacheKeyFn: ({ page, size }) => `${page}:${size}`,
  });
