const columns = 30; // what an editor has on a phone, or beside a panel

/** Writes sentences as a comment of GraphQL. */
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
