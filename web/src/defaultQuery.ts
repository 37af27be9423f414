import { formatShortcutForOS, KEY_MAP } from '@graphiql/react';

/** What a newcomer finds in the editor. Lines are short: the editor may have half of a small page. */
export const defaultQuery = `# Your confidential VMs, the first ten.
# Run: ${formatShortcutForOS(KEY_MAP.runQuery.key, 'Cmd')}, or the button.
# More fields: type inside any { }, or open
# Fields. More operations: open Examples.

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
