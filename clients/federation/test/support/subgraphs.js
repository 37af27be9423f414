// Small services for a federated graph.

import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';
import { bodyOf, respond, serve } from './serve.js';

const federation = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key", "@shareable"])';

/** Returns the number of alerts of a VM, a number derived from its UUID. */
export const alertCount = (vmId) => [...vmId].reduce((sum, c) => sum + c.charCodeAt(0), 0) % 100;

/** A service that identifies VMs by UUID. */
export const alerts = {
  name: 'alerts',
  typeDefs: parse(`${federation}
    type Query { alerts(vmIds: [ID!]!): [Alert!]! }
    type Alert { message: String! cvm: Cvm }
    type Cvm @key(fields: "vmId") { vmId: ID alertCount: Int }`),
  resolvers: {
    Query: { alerts: (_, { vmIds }) => vmIds.map((vmId) => ({ message: `of ${vmId}`, cvm: { vmId } })) },
    Cvm: {
      __resolveReference: ({ vmId }) => ({ vmId }), // null while there is no VM
      alertCount: ({ vmId }) => (vmId === null ? null : alertCount(vmId)),
    },
  },
};

/** A service that identifies CVMs by the gateway's id. */
export const notes = {
  name: 'notes',
  typeDefs: parse(`${federation}
    type Query { noted(ids: [ID!]!): [Cvm]! }
    type Cvm @key(fields: "id") { id: ID! note: String! }`),
  resolvers: {
    Query: { noted: (_, { ids }) => ids.map((id) => ({ id })) },
    Cvm: { __resolveReference: ({ id }) => ({ id }), note: ({ id }) => `note of ${id}` },
  },
};

const racks = [1, 2, 3].map((n) => ({ __typename: 'Rack', id: `rack-${n}`, label: `R${n}` }));
const nodeOf = (id) => racks.find((rack) => rack.id === id) ?? { __typename: 'Cvm', id };

/**
 * Another Relay server. Its node and nodes return a reference to a CVM for ids that are not its
 * own.
 */
export const inventory = {
  name: 'inventory',
  typeDefs: parse(`${federation}
    interface Node { id: ID! }
    type Query { node(id: ID!): Node nodes(ids: [ID!]!): [Node]! racks(first: Int): RackConnection! }
    type RackConnection { nodes: [Rack!]! pageInfo: PageInfo! }
    type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
    type Rack implements Node { id: ID! label: String! }
    type Cvm implements Node @key(fields: "id", resolvable: false) { id: ID! }`),
  resolvers: {
    Query: {
      node: (_, { id }) => nodeOf(id),
      nodes: (_, { ids }) => ids.map(nodeOf),
      racks: (_, { first }) => ({
        nodes: racks.slice(0, first),
        pageInfo: { hasNextPage: first < racks.length, hasPreviousPage: false, startCursor: null, endCursor: null },
      }),
    },
  },
};

/** Serves a subgraph, and returns it with its URL and the recorded requests. */
export async function started(t, subgraph) {
  const schema = buildSubgraphSchema(subgraph);
  const requests = [];
  const url = await serve(t, async (request, response) => {
    const body = await bodyOf(request);
    requests.push(body);
    respond(response, 200, await graphql({ schema, source: body.query, variableValues: body.variables, operationName: body.operationName }));
  });
  return { ...subgraph, url, requests };
}
