import { isNarrow } from './narrow';

const columns = 30; // the width of an editor on a phone, or next to a panel

/** Formats sentences as a GraphQL comment. */
export function note(...sentences: readonly string[]): string {
  const lines = [''];
  for (const word of sentences.join(' ').split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && `# ${line} ${word}`.length > columns) {
      lines.push(word);
    } else {
      lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
    }
  }
  return lines.map((line) => `# ${line}`).join('\n');
}

/**
 * Returns a document with a comment: above the query, or below it on a phone, where the query must
 * start at the top of the small editor.
 */
export function withNote(comment: string, query: string): string {
  return isNarrow() ? `${query}\n${comment}\n` : `${comment}\n\n${query}`;
}
