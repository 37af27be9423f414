// The module under test, and the graphql that it was built with: a schema of another copy is none to it.
export { buildSchema, isCompositeType, parse, validate } from 'graphql';
export * from '../src/selection';
