import type { Result } from './fetcher';

/** Cursors and ids from responses, for the examples. */
export interface Known {
  readonly startCursor?: string;
  readonly endCursor?: string;
  readonly id?: string;
  readonly vmId?: string;
  readonly nodeId?: number;
}

/**
 * Returns the known values after a result. Cursors come only from lists without filters, because a
 * cursor is not valid in another list. startCursor comes only from a page that has CVMs before it.
 */
export function learn(known: Known, query: string, { data }: Result): Known {
  const isFiltered = /\b(nodeId|userId)\s*:/.test(query);
  const found: { -readonly [K in keyof Known]: Known[K] } = {};
  let provisional: string | undefined; // possibly a provisional id, which becomes invalid when the VM exists
  const visit = (value: unknown) => {
    if (Array.isArray(value)) {
      value.slice(0, 10).forEach(visit); // enough to find an item with all values
    } else if (typeof value === 'object' && value !== null) {
      const object = value as Record<string, unknown>;
      if (!isFiltered) {
        found.endCursor ??= text(object.endCursor);
        found.startCursor ??= object.hasPreviousPage === true ? text(object.startCursor) : undefined;
      }
      provisional ??= text(object.id);
      if (text(object.vmId)) {
        found.id ??= text(object.id);
        found.vmId ??= text(object.vmId);
      }
      found.nodeId ??= typeof object.nodeId === 'number' ? object.nodeId : undefined;
      Object.values(object).forEach(visit);
    }
  };
  visit(data);
  // Both cursors must be from the same page.
  const { startCursor, endCursor } = found.endCursor === undefined ? known : found;
  return {
    startCursor,
    endCursor,
    id: found.id ?? known.id ?? provisional,
    vmId: found.vmId ?? known.vmId,
    nodeId: found.nodeId ?? known.nodeId,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
