import { applyEdits, format } from 'jsonc-parser';

/*
 * In place of Prettier's babel parser and estree printer (half a megabyte), which GraphiQL loads only to indent the
 * variables: see vite.config.ts. A Prettier plugin whose syntax tree is the indented text.
 */

interface Tree {
  readonly text: string;
}

export const parsers = {
  jsonc: {
    astFormat: 'jsonc',
    parse(text: string): Tree {
      const edits = format(text, undefined, { insertSpaces: true, tabSize: 2, insertFinalNewline: true });
      return { text: applyEdits(text, edits) };
    },
    locStart: () => 0,
    locEnd: ({ text }: Tree) => text.length,
  },
};

export const printers = {
  jsonc: { print: ({ node }: { node: Tree }) => node.text },
};
