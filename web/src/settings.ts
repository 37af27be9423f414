/** Settings of the page from the gateway. */
export interface Settings {
  /** The gateway runs with --demo, which accepts requests without a credential. */
  readonly demo: boolean;
  /** The version of the gateway, or "" if it is unknown. */
  readonly version: string;
  /** The URL for GraphQL. It is relative, because a proxy can serve the page under a path. */
  readonly endpoint: string;
}

/** Reads the settings from the page's meta elements. */
export function readSettings(page: Document): Settings {
  const meta = (name: string) => page.querySelector<HTMLMetaElement>(`meta[name="cvmgraph-${name}"]`)?.content;
  return { demo: meta('demo') === 'true', version: meta('version') ?? '', endpoint: 'graphql' };
}
