// A Relay connection for numbered pages. Cursors are offsets.

const largestPage = 100;
const defaultFirst = 30;

const encodeCursor = (offset) => Buffer.from(`offset:${offset}`).toString('base64');

function decodeCursor(cursor) {
  const match = /^offset:(\d+)$/.exec(Buffer.from(cursor, 'base64').toString());
  if (!match) throw new Error('after is not a valid cursor');
  return Number(match[1]);
}

/** Returns the connection with the first items after a cursor. */
export async function connection({ first, after }, loader) {
  first ??= defaultFirst;
  if (first < 0 || first > largestPage) throw new Error(`first must be between 0 and ${largestPage}`);
  const start = after ? decodeCursor(after) + 1 : 0;
  const { items, total } = await window(start, first, loader);
  const edges = items.map((node, i) => ({ cursor: encodeCursor(start + i), node }));
  return {
    edges,
    totalCount: total,
    pageInfo: {
      hasNextPage: start + items.length < total,
      hasPreviousPage: start > 0,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/**
 * Returns at most count items beginning at start. It loads one page if start is a multiple of
 * count, and two otherwise.
 */
async function window(start, count, loader) {
  const size = Math.max(count, 1);
  const page = Math.floor(start / size) + 1;
  const skipped = start % size;
  const keys = skipped === 0 ? [{ page, size }] : [{ page, size }, { page: page + 1, size }];
  const pages = await Promise.all(keys.map((key) => loader.load(key)));
  const items = pages.length === 1 ? pages[0].items : pages.flatMap((p) => p.items);
  return { items: items.slice(skipped, skipped + count), total: pages[0].total };
}
