/** How the upstream is told who asks. */
export type Kind = 'apiKey' | 'bearer';

/** A credential as it was typed. It lives in memory only: nothing here or elsewhere stores it. */
export interface Credential {
  readonly kind: Kind;
  /** "" for none. */
  readonly secret: string;
}

/** What the page calls each kind. */
export const kindLabels: Readonly<Record<Kind, string>> = {
  apiKey: 'API key (X-API-Key)',
  bearer: 'Bearer token',
};

/** The request headers that carry the credential; none for an empty one and for one that no header can hold. */
export function headersFor({ kind, secret }: Credential): Record<string, string> {
  if (secret === '' || flawOf(secret) !== null) {
    return {};
  }
  return kind === 'apiKey' ? { 'X-API-Key': secret } : { Authorization: `Bearer ${secret}` };
}

/**
 * Splits what was typed or pasted into the bare secret and the kind that it is for certain: what a header's name or
 * `Bearer` in front says, then `phak_`, then the three parts of a JWT. The kind is null where nothing tells.
 */
export function recognise(text: string): { secret: string; kind: Kind | null } {
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

/** Says why no header can hold the secret, or null. */
export function flawOf(secret: string): string | null {
  if (/\s/.test(secret)) {
    return 'There is a space in it.';
  }
  return /^[\x21-\x7e]*$/.test(secret) ? null : 'There is a character in it that no HTTP header can hold.';
}
