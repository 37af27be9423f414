import { defaultQuery } from './defaultQuery';
import type { Known } from './known';
import { note, withNote } from './note';

/** An example operation. */
export interface Example {
  readonly title: string;
  /** A description of one line. */
  readonly about: string;
  /** The name of the operation in query. */
  readonly name: string;
  /** Returns the operation with known numbers filled in. */
  readonly query: (known: Known) => string;
  /** Returns the operation's variables, with known cursors and ids filled in. */
  readonly variables?: (known: Known) => Record<string, string>;
  /** Opens the panel with the upstream calls. */
  readonly explain?: boolean;
}

export const examples: readonly Example[] = [
  {
    title: 'First page',
    about: 'Ten CVMs, and the total number',
    name: 'FirstCvms',
    query: () => defaultQuery,
  },
  {
    title: 'Next page',
    about: 'The ten CVMs after the last response',
    name: 'NextPage',
    variables: ({ endCursor }) => ({ after: known(endCursor, 'endCursor') }),
    query: () =>
      withNote(note(
      'The next ten CVMs. after is the endCursor of the previous page.',
      'A cursor identifies a CVM and not a position, so paging skips and repeats nothing if the list changes.',
    ), `query NextPage($after: String) {
  cvms(first: 10, after: $after) {
${page}
  }
}
`),
  },
  {
    title: 'Last page',
    about: 'Backward from the end of the list',
    name: 'LastPage',
    query: () =>
      withNote(note(
      'The last ten CVMs, in the order of the list.',
      'The gateway needs the total first, which can take an extra call.',
    ), `query LastPage {
  cvms(last: 10) {
${page}
  }
}
`),
  },
  {
    title: 'Previous page',
    about: 'Backward from a cursor',
    name: 'PreviousPage',
    variables: ({ startCursor, endCursor }) => ({ before: known(startCursor ?? endCursor, 'startCursor') }),
    query: () =>
      withNote(note(
      'The ten CVMs before a cursor. before is the startCursor of the current page.',
    ), `query PreviousPage($before: String) {
  cvms(last: 10, before: $before) {
${page}
  }
}
`),
  },
  {
    title: 'CVMs of one node',
    about: 'A filter for administrators',
    name: 'OnOneNode',
    query: ({ nodeId }) =>
      withNote(note(
      'The CVMs of one machine. nodeId is the number in node { nodeId }.',
      'The upstream accepts it from administrators only.',
      'A cursor is valid only with the same filter.',
    ), `query OnOneNode {
  cvms(first: 10, nodeId: ${nodeId ?? 1}) {
    totalCount
    nodes {
      name
      status
      node {
        nodeId
        name
        regionIdentifier
      }
    }
  }
}
`),
  },
  {
    title: 'CVM by id',
    about: 'Refetch, as Relay does',
    name: 'ById',
    variables: ({ id }) => ({ id: known(id, 'id') }),
    query: () =>
      withNote(note(
      'The object with this id.',
      'The upstream has no lookup, so the gateway searches the list. It takes one call if the CVM was seen recently.',
    ), `query ById($id: ID!) {
  node(id: $id) {
    id
    ... on Cvm {
${cvm}
    }
  }
}
`),
  },
  {
    title: 'CVM by UUID',
    about: 'A lookup by the UUID of the VM',
    name: 'ByVmUuid',
    variables: ({ vmId }) => ({ vmId: known(vmId, 'vmId') }),
    query: () =>
      withNote(note('The CVM whose VM has this UUID.', 'It is null if the credential cannot see it.'), `query ByVmUuid($vmId: ID!) {
  cvm(vmId: $vmId) {
    id
${cvm.replace(/^ {2}/gm, '')}
  }
}
`),
  },
  {
    title: 'Totals',
    about: 'The number of CVMs, and the number on one node',
    name: 'Totals',
    query: ({ nodeId }) =>
      withNote(note(
      'A total takes one call for a page of one CVM.',
      'Two lists in one operation need two aliases.',
      'Only administrators can use the filter.',
    ), `query Totals {
  all: cvms {
    totalCount
  }
  onOneNode: cvms(nodeId: ${nodeId ?? 1}) {
    totalCount
  }
}
`),
  },
  {
    title: 'Launch configuration',
    about: 'Image, compose file, ports and boot events',
    name: 'Launched',
    query: () =>
      withNote(note(
      'The launch configuration of two VMs, and the boot events of their guests.',
      'What the API version does not report is null or empty: the versions since 2026-01-21 have no uptime,',
      'ports, compose file and events, and 2025-10-28 has no createdAt and instanceType.',
      'Point at a field to see its description and source.',
    ), `query Launched {
  cvms(first: 2) {
    nodes {
      name
      createdAt
      instanceType
      publicUrls {
        app
      }
      hosted {
        appId
        imageVersion
        uptime
        bootProgress
        configuration {
          image
          ports {
            protocol
            hostPort
            vmPort
          }
          composeFile {
            runner
            publicLogs
            dockerComposeFile
          }
        }
        events {
          timestamp
          event
          body
        }
      }
    }
  }
}
`),
  },
  {
    title: 'Explain',
    about: 'The upstream calls of a response',
    name: 'Explained',
    explain: true,
    query: () =>
      withNote(note(
      'The upstream has pages of up to 100. The first call is made alone, the others in parallel.',
      'Pages overlap, so that the gateway detects changes between them.',
      'Both lists share pages.',
      'The calls are below the response. Run it again within two seconds to see cached pages.',
    ), `query Explained {
  long: cvms(first: 250) {
    totalCount
    nodes {
      name
    }
  }
  short: cvms(first: 20) {
    nodes {
      status
    }
  }
}
`),
  },
];

const page = `    pageInfo {
      hasPreviousPage
      hasNextPage
      startCursor
      endCursor
    }
    nodes {
      id
      name
      status
    }`;

const cvm = `      vmId
      name
      status
      vcpu
      memory
      diskSize
      node {
        name
      }
      hosted {
        appId
        imageVersion
      }`;

/** Returns a value, or a placeholder if it is unknown. */
function known(value: string | undefined, what: string): string {
  return value ?? `<${what}>`;
}
