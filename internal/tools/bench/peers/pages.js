// Pages of the upstream's list, over connections that stay open.

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
    throw new Error(`the upstream answers ${statusCode}`);
  }
  return body.json();
}

/** A loader of pages for one request: a page is fetched once, with the caller's credential. */
export const pageLoader = (authorization) =>
  new DataLoader((keys) => Promise.all(keys.map((key) => fetchPage(key, authorization))), {
    cacheKeyFn: ({ page, size }) => `${page}:${size}`,
  });
