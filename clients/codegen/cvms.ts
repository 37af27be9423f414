import { execute, type Gateway } from './gateway.js';
import type { CvmsQuery } from './gql/graphql.js';
import { graphql } from './gql/index.js';

export const CVMS = graphql(`
  query Cvms($first: Int!, $after: String, $nodeId: Int, $userId: String) {
    cvms(first: $first, after: $after, nodeId: $nodeId, userId: $userId) {
      nodes {
        id
        name
        status
        hosted {
          events {
            event
            timestamp
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

/** Yields every CVM and fetches size CVMs per request. */
export async function* everyCvm(gateway: Gateway, size = 50) {
  let after: string | null = null;
  do {
    const { cvms }: CvmsQuery = await execute(gateway, CVMS, { first: size, after });
    if (!cvms) return;
    yield* cvms.nodes;
    after = cvms.pageInfo.hasNextPage ? (cvms.pageInfo.endCursor ?? null) : null;
  } while (after !== null);
}
