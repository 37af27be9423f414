// The intended differences between the gateway and graphql-js. Each must occur, or it is removed.

const typeDefinition = /^Syntax Error: Unexpected (Name "(schema|scalar|type|interface|union|enum|input|directive|extend)"|description, only)/;

/** Differences by name. Each reports whether a request, its result and its response are a case. */
export const differences = {
  // The specification allows this to services that only execute operations.
  'a definition of a type is a syntax error': (_request, _expected, { body }) => typeDefinition.test(body.errors?.[0].message),
  // GraphQL over HTTP: the parameter query is required. An empty one is missing.
  'an empty document is a request without one': ({ query }, _expected, { status, body }) =>
    query === '' && status === 400 && body.errors[0].extensions.code === 'BAD_REQUEST',
  // graphql-js executes the operation to null, and ignores it if another one is chosen.
  'an operation of a type that the schema lacks is invalid': ({ query }, _expected, { body }) =>
    /\b(mutation|subscription)\b/.test(query) && body.errors?.some(({ message }) => message.startsWith('Schema does not support operation type')),
  // Clients send an empty name for an operation without one.
  'an empty name of an operation is no name': ({ operationName }, expected) =>
    operationName === '' && expected.outcome === 'rejected' && /Unknown operation named ""/.test(expected.errors[0].message),
  // gqlparser knows Float in every schema, graphql-js only if the schema uses it.
  'Float is a type': ({ query }, { errors }) => /\bFloat\b/.test(query) && errors[0].message.startsWith('Unknown type "Float"'),
  // graphql-js executes the operation until it evaluates the condition, and then a part is null.
  'a condition that is null is an error of the request': (_request, { errors }, { body }) =>
    errors.some(({ message }) => message === 'Argument "if" of non-null type "Boolean!" must not be null.') &&
    !('data' in body) && body.errors[0].extensions.code === 'BAD_USER_INPUT',
  // JavaScript cannot tell 1.0 from 1. A key of a representation must be an integer or a string.
  'a number with a fraction is no key of a representation': ({ query, variables }, { outcome }) =>
    outcome === 'executed' && query.includes('_entities') && /\d(\.\d|e\d)/.test(variables),
  // Limits come before validation, which can take long.
  'a limit is exceeded': (_request, { outcome }, { body }) => outcome !== 'syntax' && body.errors?.[0].extensions.code === 'QUERY_TOO_COMPLEX',
};
