/** Command-line options of the benchmarks: `--name value`, each with a default. */

/** @throws {Error} naming what was not understood */
export function readOptions<T extends Record<string, string>>(defaults: T, args = process.argv.slice(2)): T {
  const options: Record<string, string> = { ...defaults };
  for (let i = 0; i < args.length; i += 2) {
    const name = args[i]?.replace(/^--/, '') ?? '';
    const value = args[i + 1];
    if (!(name in defaults) || value === undefined) {
      const known = Object.entries(defaults).map(([key, usual]) => `--${key} ${usual}`);
      throw new Error(`cannot read "${args.slice(i, i + 2).join(' ')}"; there are: ${known.join(' ')}`);
    }
    options[name] = value;
  }
  return options as T;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return Number.NaN;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** A table in Markdown, aligned so that it reads as well on a terminal. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
