import { defaultQuery } from './defaultQuery';
import type { Known } from './known';
import { note } from './note';

/** An operation that shows one thing. */
export interface Example {
  readonly title: string;
  /** One line. */
  readonly about: string;
  /** The operation's name, which query has, too. */
  readonly name: string;
  /** The text, with what is known filled in. */
  readonly query: (known: Known) => string;
  /** It is about the calls: the panel that draws them opens. */
  readonly explain?: boolean;
}

export const examples: readonly Example[] = [
  {
    title: 'First page',
    about: 'Ten CVMs, and how many there are',
    name: 'FirstCvms',
    query: () => defaultQuery,
  },
  {
    title: 'Next page',
    about: 'From the end of the page before, and again',
    name: 'NextPage',
    query: ({ endCursor }) => `${note(
      'The next ten: after is the endCursor of the page before.',
      'It names a CVM, not a position: when the list changes in between, nothing that stays is left out or repeated.',
    )}

query NextPage {
  cvms(first: 10, after: ${literal(endCursor, 'endCursor')}) {
${page}
  }
}
`,
  },
  {
    title: 'Last page',
    about: 'Backward from the end of the list',
    name: 'LastPage',
    query: () => `${note(
      'The last ten, in the list’s order.',
      'The size of the list is asked for first, which may be a call of its own.',
    )}

query LastPage {
  cvms(last: 10) {
${page}
  }
}
`,
  },
  {
    title: 'Page before',
    about: 'Backward from a cursor',
    name: 'PageBefore',
    query: ({ startCursor, endCursor }) => `${note(
      'The ten ahead of a cursor: before is the startCursor of the page behind them.',
    )}

query PageBefore {
  cvms(last: 10, before: ${literal(startCursor ?? endCursor, 'startCursor')}) {
${page}
  }
}
`,
  },
  {
    title: 'CVMs of one node',
    about: 'A filter that the upstream has, for administrators',
    name: 'OnOneNode',
    query: ({ nodeId }) => `${note(
      'Those of one machine: nodeId is the number in node { nodeId }.',
      'The upstream allows it to administrators.',
      'A cursor belongs to the list with its filter.',
    )}

query OnOneNode {
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
`,
  },
  {
    title: 'One by id',
    about: 'Refetch, as Relay does',
    name: 'ById',
    query: ({ id }) => `${note(
      'The object with this id.',
      'The upstream has no lookup: the list is searched, in one call where the CVM was seen lately.',
    )}

query ById {
  node(id: ${literal(id, 'id')}) {
    id
    ... on Cvm {
${cvm}
    }
  }
}
`,
  },
  {
    title: 'One by uuid',
    about: 'For those who hold the VM’s uuid',
    name: 'ByVmUuid',
    query: ({ vmId }) => `${note('The CVM whose VM has this uuid.', 'Null where the credential sees none.')}

query ByVmUuid {
  cvm(vmId: ${literal(vmId, 'vmId')}) {
    id
${cvm.replace(/^ {2}/gm, '')}
  }
}
`,
  },
  {
    title: 'Totals',
    about: 'How many there are, and how many on a node',
    name: 'Totals',
    query: ({ nodeId }) => `${note(
      'A total alone costs one call for one CVM.',
      'Two lists in one operation need two names.',
      'The filter is for administrators.',
    )}

query Totals {
  all: cvms {
    totalCount
  }
  onOneNode: cvms(nodeId: ${nodeId ?? 1}) {
    totalCount
  }
}
`,
  },
  {
    title: 'How it was launched',
    about: 'Image, compose file, ports and boot events',
    name: 'Launched',
    query: () => `${note(
      'What two VMs were launched with, and what their guests said while booting.',
      'Each field tells its source: hold the pointer on it.',
    )}

query Launched {
  cvms(first: 2) {
    nodes {
      name
      publicUrls {
        app
      }
      hosted {
        status
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
            allowedEnvs
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
`,
  },
  {
    title: 'Explain',
    about: 'The upstream calls behind an answer',
    name: 'Explained',
    explain: true,
    query: () => `${note(
      'The upstream has pages of up to 100: the first goes alone, the others in parallel.',
      'They overlap, so that a change between them is seen.',
      'Both lists share pages.',
      'Below the answer are its calls: run it twice within two seconds.',
    )}

query Explained {
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
`,
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
        uptime
        imageVersion
      }`;

/** Writes the text of a GraphQL string; where it is not known, what to put there. */
function literal(value: string | undefined, what: string): string {
  return JSON.stringify(value ?? `<${what}>`);
}
