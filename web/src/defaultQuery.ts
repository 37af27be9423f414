import { formatShortcutForOS, KEY_MAP } from '@graphiql/react';
import { note } from './note';

const run = formatShortcutForOS(KEY_MAP.runQuery.key, 'Cmd');

/** What a newcomer finds in the editor. */
export const defaultQuery = `${note(`Your confidential VMs, the first ten. Run: ${run}, or the button.`)}
#
${note('More fields: type inside any { }, or open Fields. More operations: open Examples.')}

query FirstCvms {
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
`;
