// The queries of test/relay.test.js, which compiles them against the gateway's /schema.graphql.

import { graphql } from 'relay-runtime';

graphql`
  query sourcePageQuery($first: Int, $after: String, $last: Int, $before: String) {
    cvms(first: $first, after: $after, last: $last, before: $before) {
      totalCount
      edges {
        cursor
        node {
          id
          vmId
          name
          hosted { vmId status }
          managedUser { userId username }
          node { nodeId name }
          kmsInfo { kmsId }
        }
      }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`;

graphql`
  query sourceListQuery($count: Int!, $cursor: String) {
    ...source_list @arguments(count: $count, cursor: $cursor)
  }
`;

graphql`
  fragment source_list on Query
  @refetchable(queryName: "sourceListPaginationQuery")
  @argumentDefinitions(count: { type: "Int" }, cursor: { type: "String" }, last: { type: "Int" }, before: { type: "String" }) {
    cvms(first: $count, after: $cursor, last: $last, before: $before) @connection(key: "source_cvms") {
      edges { node { id name } }
    }
  }
`;

graphql`
  query sourceCaughtQuery($first: Int) {
    cvms(first: $first) @catch(to: RESULT) { totalCount }
    few: cvms(first: 2) { nodes { id name } }
  }
`;
