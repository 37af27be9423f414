// The reference: graphql-js with the gateway's schema, and with resolvers that accept and reject
// the same arguments as the gateway. A value that only the upstream knows is unknown.

import {
  buildSchema, execute, getNamedType, GraphQLError, GraphQLFloat, GraphQLID, GraphQLString, introspectionTypes, isObjectType, isScalarType, Kind, parse,
  SchemaMetaFieldDef, TypeMetaFieldDef, validate,
} from 'graphql';

/** A value that graphql-js cannot compute. The gateway may return anything in its place. */
export const unknown = Symbol('unknown');

// The parts of the schema that are not in the SDL for clients.
const hidden = `
  scalar _Any
  union _Entity = Cvm
  type _Service { sdl: String! }
  extend type Query {
    _entities(representations: [_Any!]!): [_Entity]!
    _service: _Service!
  }
  "Directs the executor to defer this fragment when the \`if\` argument is true or undefined."
  directive @defer(
    "Deferred when true or undefined."
    if: Boolean = true
    "Unique name"
    label: String
  ) on FRAGMENT_SPREAD | INLINE_FRAGMENT
`;

const maxFirst = 1000;
const maxID = 3 * 1024; // bytes; a longer id is never valid

/** Returns the reference for the SDL of the gateway: a schema with resolvers. */
export function reference(sdl) {
  const schema = buildSchema(sdl + hidden);
  const types = schema.getTypeMap();
  for (const type of Object.values(types).filter(isScalarType)) {
    const { serialize } = type;
    type.serialize = (value) => (value === unknown ? unknown : serialize(value));
  }
  types.Int64.parseValue = int64;
  types.Int64.parseLiteral = (node) => (node.kind === Kind.INT ? int64(literal(node)) : reject('not an integer'));
  types._Any.parseLiteral = literal;
  types._Entity.resolveType = types.Node.resolveType = () => 'Cvm';
  setIntrospection(sdl);
  return { schema, root: resolvers(types), dataTypes: objectTypes(types.CvmEdge) };
}

/** Returns the names of a type and of the object types in its fields, at any depth. */
function objectTypes(type, names = new Set()) {
  if (!isObjectType(type) || names.has(type.name)) return names;
  names.add(type.name);
  for (const field of Object.values(type.getFields())) objectTypes(getNamedType(field.type), names);
  return names;
}

/** The built-in types of which gqlparser has its own descriptions, with those of graphql-js. */
export const ownDescriptions = Object.fromEntries([GraphQLID, GraphQLString, GraphQLFloat].map(({ name, description }) => [name, description]));

/** Makes introspection show the schema for clients, with types in the gateway's order. */
function setIntrospection(sdl) {
  const defer = hidden.slice(hidden.indexOf('"Directs'));
  const visible = buildSchema(sdl + defer);
  const sorted = (list) => list.sort((a, b) => (a.name < b.name ? -1 : 1));
  const types = Object.fromEntries(sorted([...Object.values(visible.getTypeMap()), GraphQLFloat /* gqlparser always has it */]).map((type) => [type.name, type]));
  const directives = sorted([...visible.getDirectives()]);
  for (const name of Object.keys(ownDescriptions)) types[name].description = unknown;
  visible.getTypeMap = () => types;
  visible.getDirectives = () => directives;
  SchemaMetaFieldDef.resolve = () => visible;
  TypeMetaFieldDef.resolve = (_source, { name }) => visible.getType(name);
  // Deprecated directives are in no released specification.
  const [directive, schema] = ['__Directive', '__Schema'].map((name) => introspectionTypes.find((type) => type.name === name).getFields());
  for (const name of ['isDeprecated', 'deprecationReason']) {
    if (!(name in directive)) throw new Error(`graphql-js no longer has __Directive.${name}`);
    delete directive[name];
  }
  schema.directives.args = [];
}

const reject = (message) => {
  throw new GraphQLError(message);
};

const int64 = (value) => (Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? value : reject('not an Int64'));

/** Returns the value of a literal. Its numbers must fit into 64 bits, as in the gateway. */
function literal(node, variables) {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.INT:
      return BigInt.asIntN(64, BigInt(node.value)) === BigInt(node.value) ? Number(node.value) : reject('the number is too large');
    case Kind.FLOAT:
      return Number.isFinite(Number(node.value)) ? { float: node.value } : reject('the number is too large'); // it is never an id
    case Kind.LIST:
      return node.values.map((value) => literal(value, variables));
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map(({ name, value }) => [name.value, literal(value, variables)]));
    case Kind.VARIABLE:
      return variables?.[node.name.value];
    default:
      return node.value;
  }
}

/** Returns the root value: arguments are checked as in the gateway, and no CVM is ever found. */
function resolvers(types) {
  // An object whose fields are unknown.
  const object = (type) => Object.fromEntries(Object.values(type.getFields()).map((field) => [field.name, fieldOf(field.type)]));
  const fieldOf = (type) => {
    const plain = String(type).replace(/!/g, '');
    const named = types[plain.replace(/[[\]]/g, '')];
    const value = () => (isScalarType(named) ? unknown : object(named));
    return plain.startsWith('[') ? () => [value()] : value;
  };
  const lookup = (id) => {
    nodeID(id) || reject('not an id');
    return null;
  };
  return {
    node: ({ id }) => lookup(id),
    nodes: ({ ids }) => (ids.length > maxFirst ? reject('too many ids') : ids.map((id) => (nodeID(id) ? null : new GraphQLError('not an id')))),
    cvm: ({ vmId }) => (vmId === '' || vmId.length > maxID ? reject('not an id') : null),
    cvms: (args) => {
      const size = window(args);
      // Only the upstream knows how many CVMs match a filter. One stands for any number of them.
      const connection = object(types.CvmConnection);
      const repeat = (value) => () => Array.from({ length: size }, value);
      return { ...connection, edges: repeat(() => object(types.CvmEdge)), nodes: repeat(() => object(types.Cvm)) };
    },
    _entities: ({ representations }) => representations.map(entity),
    _service: { sdl: unknown },
  };
}

// The ids of the tests are never ids of the gateway, unless they begin like one.
const nodeID = (id) => /^Q3Zt[\w-]+$/.test(id) && id.length < maxID;

function entity(representation) {
  if (typeof representation !== 'object' || Array.isArray(representation) || representation?.__typename !== 'Cvm') return new GraphQLError('not a Cvm');
  const { id, vmId } = representation;
  if (id !== undefined && id !== null) return isID(id) && nodeID(String(id)) ? null : new GraphQLError('not an id');
  return isID(vmId) && vmId !== '' ? null : new GraphQLError('not an id');
}

const isID = (value) => typeof value === 'string' || Number.isInteger(value);

/** Returns the number of CVMs that the arguments select. */
function window({ first, last, after, before, nodeId, userId }) {
  const given = (value) => value !== undefined && value !== null;
  if (given(first) && given(last)) reject('first and last');
  const size = first ?? last ?? 30;
  if (size < 0 || size > maxFirst) reject('first or last out of range');
  if (given(after) || given(before)) reject('not a cursor'); // no test has a valid one
  if (given(nodeId) && nodeId < 1) reject('nodeId');
  if (given(userId) && !/^(0|usr_[\x21-\x7e]{1,200})$/.test(userId)) reject('userId');
  return given(nodeId) || given(userId) ? Math.min(size, 1) : size;
}

/**
 * Executes a request as graphql-js does it. The outcome is `syntax` or `invalid` if the document is
 * rejected, `rejected` if the variables or the name of the operation are, and else `executed`.
 */
export function run({ schema, root, dataTypes }, { query, variables, operationName }) {
  let document;
  try {
    document = parse(query);
  } catch (error) {
    return { outcome: 'syntax', errors: [error] };
  }
  const tokens = places(document);
  const errors = validate(schema, document);
  if (errors.length > 0) return { outcome: 'invalid', errors, tokens };
  const result = execute({
    schema, document, rootValue: root, operationName,
    variableValues: variables === undefined ? undefined : JSON.parse(variables),
  });
  return { outcome: 'data' in result ? 'executed' : 'rejected', errors: result.errors ?? [], data: result.data, dataTypes, tokens };
}

/** Returns the lines and columns of the tokens of a document. */
function places({ loc }) {
  const tokens = new Set();
  for (let token = loc.startToken; token; token = token.next) tokens.add(`${token.line}:${token.column}`);
  return tokens;
}
