// Compares responses of the gateway with results of the reference.

import { unknown } from './reference.js';

// No message may contain Go's own messages, types or functions.
const goText = /runtime error|panic|strconv|nil pointer|interface \{|map\[|\[\]any|json: |cannot unmarshal|goroutine|\bint(32|64)\b|float64|%!|\.go:\d|gqlgen|NamedType|<nil>/;

/** Sends a request to the gateway. The variables are JSON, so that numbers keep their form. */
export async function send(url, { query, variables, operationName }) {
  const members = [`"query":${JSON.stringify(query)}`];
  if (variables !== undefined) members.push(`"variables":${variables}`);
  if (operationName !== undefined) members.push(`"operationName":${JSON.stringify(operationName)}`);
  const response = await fetch(url, {
    method: 'POST', body: `{${members.join(',')}}`,
    headers: { 'Content-Type': 'application/json', Accept: 'application/json', Authorization: 'Bearer differential' },
  });
  const text = await response.text();
  return { status: response.status, text, body: JSON.parse(text) };
}

/** Returns what differs between a result of the reference and a response, or undefined. */
export function difference(expected, { status, body, text }) {
  if (status !== 200) return `status ${status}`;
  const errors = body.errors ?? [];
  for (const { message, extensions } of errors) {
    if (!message || !extensions?.code) return 'an error without a message or a code';
    if (extensions.code === 'INTERNAL_SERVER_ERROR') return 'INTERNAL_SERVER_ERROR';
    if (goText.test(message)) return 'text of Go';
  }
  const outcome = outcomeOf(body, errors);
  if (outcome !== expected.outcome) return `${outcome} instead of ${expected.outcome}`;
  if (outcome === 'syntax') return syntax(expected.errors[0], errors);
  const misplaced = locations(expected, errors);
  if (misplaced || outcome !== 'executed') return misplaced;
  if (!equal(expected.data, body.data, expected.dataTypes)) return 'data';
  const paths = (list) => list.map((error) => JSON.stringify(error.path)).sort().join(' ');
  if (paths(expected.errors) !== paths(errors)) return 'paths of errors';
  return undefined;
}

function outcomeOf(body, errors) {
  if ('data' in body) return 'executed';
  const { code } = errors[0].extensions;
  if (code === 'GRAPHQL_PARSE_FAILED') return 'syntax';
  if (code === 'QUERY_TOO_COMPLEX') return 'limited';
  return code === 'GRAPHQL_VALIDATION_FAILED' && errors[0].locations && !aboutValue.test(errors[0].message) ? 'invalid' : 'rejected';
}

// Messages about the value of a variable, which is not a part of the document.
const aboutValue = /^Variable "\$\w+" (got invalid value|of required type|of non-null type)/;

function syntax(expected, errors) {
  if (errors.length !== 1) return 'several syntax errors';
  if (JSON.stringify(expected.locations) !== JSON.stringify(errors[0].locations)) return 'location of the syntax error';
  return withoutStrings(expected.message) === errors[0].message ? undefined : 'message of the syntax error';
}

/** Messages of the gateway do not repeat strings. */
const withoutStrings = (message) =>
  message
    .replace(/((?:Block)?String) ".*"\.$/s, '$1.')
    .replace(/Invalid Unicode escape sequence: .*/s, String.raw`Invalid Unicode escape sequence: "\u" needs four hexadecimal digits, or one to eight within braces, of a Unicode character.`);

/** Each location is the beginning of a token, although gqlparser's rules can choose another one. */
function locations({ tokens }, errors) {
  const places = errors.flatMap((error) => error.locations ?? []).map(({ line, column }) => `${line}:${column}`);
  return places.every((place) => tokens.has(place)) ? undefined : 'location of an error';
}

/** Reports whether the gateway's value equals the expected one, which may be unknown in part. */
function equal(expected, got, dataTypes) {
  if (expected === unknown) return true;
  if (got === null) return expected === null || isUnknown(expected, dataTypes);
  if (Array.isArray(expected)) {
    if (!Array.isArray(got)) return false;
    if (expected.length === 1 && isUnknown(expected[0], dataTypes)) return got.every((element) => equal(expected[0], element, dataTypes));
    return expected.length === got.length && expected.every((element, i) => equal(element, got[i], dataTypes));
  }
  if (!isObject(expected) || !isObject(got)) return expected === got;
  const names = Object.keys(expected);
  return names.join() === Object.keys(got).join() && names.every((name) => equal(expected[name], got[name], dataTypes));
}

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

/**
 * Reports whether a value is unknown, or an object whose fields are: then the gateway may return
 * null, and lists of such objects may be longer or shorter. The name of a type of the data is
 * unknown too, because its object can be null.
 */
function isUnknown(value, dataTypes) {
  if (Array.isArray(value)) return value.length === 1 && isUnknown(value[0], dataTypes);
  if (isObject(value)) return Object.values(value).every((field) => isUnknown(field, dataTypes));
  return value === unknown || dataTypes.has(value);
}
