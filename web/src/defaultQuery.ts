import { formatShortcutForOS, KEY_MAP } from '@graphiql/react';
import { note, withNote } from './note';

const run = formatShortcutForOS(KEY_MAP.runQuery.key, 'Cmd');

/** The initial content of the editor. */
export const defaultQuery = withNote(
  [
    note(`Your first ten confidential VMs. To run this, press ${run} or the button.`),
    note('To add fields, type inside any { } or open Fields. Open Examples for more operations.'),
  ].join('\n#\n'),
  `query FirstCvms {
  cvms(first: 10) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    edges {
      cursor
      node {
        id
        vmId
        name
        status
        vcpu
        memory
        node {
          nodeId
          name
          regionIdentifier
        }
      }
    }
  }
}
`,
);
