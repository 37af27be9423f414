// The module under test, with its copy of graphql. It does not accept a schema of another copy.
export { buildSchema, isCompositeType, parse, validate } from 'graphql';
export * from '../src/selection';
