import type { Answer } from './fetcher';

/** What answers have told that examples ask for. */
export interface Known {
  readonly startCursor?: string;
  readonly endCursor?: string;
  readonly id?: string;
  readonly vmId?: string;
  readonly nodeId?: number;
}

/**
 * Takes from an answer what is known after it. Cursors are those of the list without filters, because they fit no other;
 * a startCursor is one that something is ahead of.
 */
export function learn(known: Known, query: string, { data }: Answer): Known {
  const isFiltered = /\b(nodeId|userId)\s*:/.test(query);
  const found: { -readonly [K in keyof Known]: Known[K] } = {};
  let provisional: string | undefined; // perhaps: such an id ends when there is a VM
  const visit = (value: unknown) => {
    if (Array.isArray(value)) {
      value.slice(0, 10).forEach(visit); // enough to meet one that has what others lack
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
  // The two cursors are one page's.
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
