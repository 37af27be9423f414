import type { TypedDocumentString } from './gql/graphql.js';

/** The URL of the gateway, such as /graphql, and the header with the credential. */
export interface Gateway {
  url: string;
  headers: Record<string, string>;
}

interface GraphQLResponse<Result> {
  data?: Result | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string; retryAfter?: number } }[];
}

/** An error of the whole request, or of a field of Query such as cvms. */
export class GatewayError extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly retryAfter?: number, // in seconds, if known
  ) {
    super(message);
  }
}

/**
 * Executes a typed document. TypeScript checks the variables, and the result has the selected
 * fields.
 */
export async function execute<Result, Variables>(
  gateway: Gateway,
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
): Promise<Result> {
  const response = await fetch(gateway.url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json', ...gateway.headers },
    body: JSON.stringify({ query: document.toString(), variables }),
  });
  const { data, errors = [] } = (await response.json()) as GraphQLResponse<Result>;
  const error = data ? errors.find(({ path }) => path?.length === 1) : errors[0];
  if (error) throw new GatewayError(error.message, error.extensions.code, error.extensions.retryAfter);
  if (!data) throw new Error('the response has neither data nor an error');
  return data;
}
