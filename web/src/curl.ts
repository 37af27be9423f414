import type { Kind } from './credential';

/** A request for a curl command. */
export interface CurlRequest {
  readonly url: string;
  /** The kind of the credential, or null for a request without one. */
  readonly kind: Kind | null;
  /** Empty for no workspace. */
  readonly workspace: string;
  readonly body: unknown;
}

/** The shell variables with the credentials. `cvmgraph check` reads the same variables. */
export const shellVariables: Readonly<Record<Kind, string>> = { apiKey: 'CVMGRAPH_API_KEY', bearer: 'CVMGRAPH_TOKEN' };

/**
 * Returns a command for a POSIX shell that sends the request. It contains the name of a shell
 * variable in place of the credential.
 */
export function curlCommand({ url, kind, workspace, body }: CurlRequest): string {
  const lines = [`curl -sS ${quoted(url)}`, `-H 'Content-Type: application/json'`];
  if (kind !== null) {
    const name = kind === 'apiKey' ? 'X-API-Key: ' : 'Authorization: Bearer ';
    lines.push(`-H "${name}$${shellVariables[kind]}"`);
  }
  if (workspace !== '') {
    lines.push(`-H ${quoted(`X-Phala-Workspace: ${workspace}`)}`);
  }
  lines.push(`--data-raw ${quoted(JSON.stringify(body))}`);
  return `${lines.join(' \\\n  ')}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
