/** One fault of a configuration file: where it is, what is wrong, and what to write instead. */
export interface ConfigProblem {
  /** The file's name as the user gave it, or `<command line>`, `<stdin>`. */
  readonly file: string;
  /** 1-based; 0 when the fault belongs to the file as a whole. */
  readonly line: number;
  /** 1-based, in characters; 0 when the fault belongs to the line or the file as a whole. */
  readonly column: number;
  /** The offending word; empty when there is none or when it is a secret. */
  readonly word: string;
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
  /** The source line, to be shown with a mark under the word; empty when it may hold a secret. */
  readonly source: string;
}

/** How many problems are kept: a file of the wrong kind has one a line, and nobody reads them all. */
export const PROBLEMS_MAX = 100;

/** A configuration that was refused as a whole. It carries every problem found, in the order of the files and lines. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'ERR_CONFIG';

  /** @param problems at least one. @param omitted how many more were found and not kept. */
  constructor(
    readonly problems: readonly ConfigProblem[],
    readonly omitted = 0,
  ) {
    super(problems.map(headline).join('; '));
  }

  /** The problems for a terminal: place, message, the line with the word marked, the fix. */
  format(): string {
    const parts = this.problems.map(formatProblem);
    if (this.omitted > 0) parts.push(`${this.omitted} more problems are not shown`);
    return parts.join('\n');
  }
}

/** Collects problems, so that one run of the reader reports all of them. */
export class ProblemList {
  readonly #problems: ConfigProblem[] = [];
  #omitted = 0;

  get count(): number {
    return this.#problems.length + this.#omitted;
  }

  add(problem: ConfigProblem): void {
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(problem);
    else this.#omitted += 1;
  }

  /** @throws {ConfigError} when anything was added. `files` gives the order in which files are listed. */
  throwIfAny(files: readonly string[]): void {
    if (this.#problems.length === 0) return;
    const rank = (p: ConfigProblem): number => files.indexOf(p.file);
    const sorted = [...this.#problems].sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
    throw new ConfigError(sorted, this.#omitted);
  }
}

function headline(p: ConfigProblem): string {
  const place = p.line === 0 ? p.file : p.column === 0 ? `${p.file}:${p.line}` : `${p.file}:${p.line}:${p.column}`;
  return `${place}: ${p.message}`;
}

function formatProblem(p: ConfigProblem): string {
  const rows = [headline(p)];
  if (p.source !== '') {
    rows.push(`    ${p.source.replaceAll('\t', ' ')}`);
    if (p.column > 0) rows.push(`    ${' '.repeat(p.column - 1)}${'^'.repeat(Math.max(1, p.word.length))}`);
  }
  if (p.fix !== '') rows.push(`  fix: ${p.fix}`);
  return rows.join('\n');
}
