// A Relay connection over numbered pages, with cursors that are offsets.

const largestPage = 100;
const defaultFirst = 30;

const encodeCursor = (offset) => Buffer.from(`offset:${offset}`).toString('base64');

function decodeCursor(cursor) {
  const match = /^offset:(\d+)$/.exec(Buffer.from(cursor, 'base64').toString());
  if (!match) throw new Error('after: no such cursor');
  return Number(match[1]);
}

/** The connection of the first items behind the cursor after. */
export async function connection({ first, after }, loader) {
  first ??= defaultFirst;
  if (first < 0 || first > largestPage) throw new Error(`first: must be 0 to ${largestPage}`);
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

/** The items from start on, at most count: on one page where start is a multiple of count, else on two. */
async function window(start, count, loader) {
  const size = Math.max(count, 1);
  const page = Math.floor(start / size) + 1;
  const skipped = start % size;
  const keys = skipped === 0 ? [{ page, size }] : [{ page, size }, { page: page + 1, size }];
  const pages = await Promise.all(keys.map((key) => loader.load(key)));
  const items = pages.length === 1 ? pages[0].items : pages.flatMap((p) => p.items);
  return { items: items.slice(skipped, skipped + count), total: pages[0].total };
}
