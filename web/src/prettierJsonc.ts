import { applyEdits, format } from 'jsonc-parser';

/*
 * A small Prettier plugin that indents JSON. It replaces Prettier's babel parser and estree printer
 * (half a megabyte), which GraphiQL uses only for the variables: see vite.config.ts. Its syntax
 * tree is the indented text.
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
