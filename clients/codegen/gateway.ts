import type { TypedDocumentString } from './gql/graphql.js';

/** The gateway's address, such as /graphql, and the credential's header. */
export interface Gateway {
  url: string;
  headers: Record<string, string>;
}

interface Answer<Result> {
  data?: Result | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string; retryAfter?: number } }[];
}

/** What cost the whole request, or a field of Query such as cvms. */
export class GatewayError extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly retryAfter?: number, // seconds, where the upstream says
  ) {
    super(message);
  }
}

/** Runs a typed document. Only variables that the document has compile, and the result has what it selects. */
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
  const { data, errors = [] } = (await response.json()) as Answer<Result>;
  const error = data ? errors.find(({ path }) => path?.length === 1) : errors[0];
  if (error) throw new GatewayError(error.message, error.extensions.code, error.extensions.retryAfter);
  if (!data) throw new Error('the answer has neither data nor an error');
  return data;
}
