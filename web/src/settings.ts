/** What the gateway tells the page about itself. */
export interface Settings {
  /** The gateway runs over its demo upstream: a request without a credential is answered. */
  readonly demo: boolean;
  /** Where GraphQL is answered. Relative, because the page may stand under a path of a proxy. */
  readonly endpoint: string;
}

/** Reads the settings that the gateway has written into the page's meta elements. */
export function readSettings(page: Document): Settings {
  const meta = (name: string) => page.querySelector<HTMLMetaElement>(`meta[name="cvmgraph-${name}"]`)?.content;
  return { demo: meta('demo') === 'true', endpoint: 'graphql' };
}
