/** What a link to the page opens: a query, and its variables as JSON. */
export interface Linked {
  readonly initialQuery?: string;
  readonly initialVariables?: string;
}

/** The maximum length of a link. The gateway accepts longer headers, but not every proxy does. */
const maxLength = 8000;

/**
 * Returns what the parameters query and variables of the page's URL open, and removes them from the
 * URL, so that a reload keeps what the user changed.
 */
export function openLink(): Linked {
  const { origin, pathname, search } = window.location;
  const parameters = new URLSearchParams(search);
  const query = parameters.get('query');
  if (query === null) {
    return {};
  }
  window.history.replaceState(null, '', origin + pathname);
  return { initialQuery: query, initialVariables: indented(parameters.get('variables') ?? '') };
}

/** Returns a link to the page that opens a query and variables, or null if it would be too long. */
export function linkTo(query: string, variables: unknown): string | null {
  const { origin, pathname } = window.location;
  const parameters = [`query=${encodeURIComponent(query)}`];
  if (variables !== undefined) {
    parameters.push(`variables=${encodeURIComponent(JSON.stringify(variables))}`);
  }
  const link = `${origin}${pathname}?${parameters.join('&')}`;
  return link.length <= maxLength ? link : null;
}

function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json; // the editor shows the error
  }
}
