/** The kind of a credential. */
export type Kind = 'apiKey' | 'bearer';

/** A credential as typed. It is in memory only and never stored. */
export interface Credential {
  readonly kind: Kind;
  /** Empty if the user entered none. */
  readonly secret: string;
  /** The slug or id of a workspace. If empty, the upstream uses the credential's own workspace. */
  readonly workspace: string;
}

/** The labels of the kinds. */
export const kindLabels: Readonly<Record<Kind, string>> = {
  apiKey: 'API key (X-API-Key)',
  bearer: 'Bearer token',
};

/**
 * Returns the request headers for the credential and its workspace. A value that is empty or not
 * valid in a header has none.
 */
export function headersFor({ kind, secret, workspace }: Credential): Record<string, string> {
  const isSent = (value: string) => value !== '' && flawOf(value) === null;
  return {
    ...(isSent(secret) && (kind === 'apiKey' ? { 'X-API-Key': secret } : { Authorization: `Bearer ${secret}` })),
    ...(isSent(workspace) && { 'X-Phala-Workspace': workspace }),
  };
}

/**
 * Splits typed or pasted input into the secret and its kind. A header name or `Bearer` at the start
 * determines the kind, otherwise the prefix `phak_`, otherwise the three parts of a JWT. The kind
 * is null if it is unknown.
 */
export function recognize(text: string): { secret: string; kind: Kind | null } {
  const bare = text.trimStart();
  for (const [prefix, kind] of prefixes) {
    const found = prefix.exec(bare);
    if (found) {
      return { secret: bare.slice(found[0].length).trim(), kind };
    }
  }
  const secret = bare.trim();
  if (secret.startsWith('phak_')) {
    return { secret, kind: 'apiKey' };
  }
  return { secret, kind: jwt.test(secret) ? 'bearer' : null };
}

const prefixes: readonly (readonly [RegExp, Kind])[] = [
  [/^x-api-key:\s*/i, 'apiKey'],
  [/^(authorization:\s*)?bearer\s+/i, 'bearer'],
];

const jwt = /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/;

/** Returns what makes a value invalid in a header, as the end of a sentence, or null. */
export function flawOf(value: string): string | null {
  if (/\s/.test(value)) {
    return 'contains a space.';
  }
  return /^[\x21-\x7e]*$/.test(value) ? null : 'contains a character that is not allowed in an HTTP header.';
}
