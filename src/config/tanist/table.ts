/** Text in columns, and calm colours. */

/** How words are set off: on a terminal by escape sequences, elsewhere not at all. */
export interface Style {
  readonly head: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly dim: (text: string) => string;
}

const same = (text: string): string => text;
const escaped = (code: number) => (text: string) => `\x1b[${code}m${text}\x1b[0m`;

export const PLAIN: Style = { head: same, warn: same, dim: same };
export const COLOURED: Style = { head: escaped(1), warn: escaped(33), dim: escaped(2) };

/** Rows under a heading, two spaces between columns, none at a line's end. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], style: Style): string[] {
  const widths = head.map((word, i) => Math.max(word.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  ')}`.trimEnd();
  return [style.dim(line(head)), ...rows.map(line)];
}

/** `name   text` in two columns. */
export function pairs(rows: readonly (readonly [string, string])[], style: Style): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${style.dim(name.padEnd(width))}  ${text}`);
}
