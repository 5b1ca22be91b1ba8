/** Reads the values behind a word, and says what is wrong with them. */
import type { Diagnostics, Place } from './diagnostics.js';
import type { Command, User } from './model.js';
import type { Word } from './tokens.js';
import { type Statement, suggestion } from './tree.js';

/** What a word does to what is being read. */
export type WordTable<T> = Readonly<Record<string, (target: T, statement: StatementReader) => void>>;

/** One statement, with its values read on demand. A null result has been reported already. */
export class StatementReader {
  readonly statement: Statement;
  readonly diagnostics: Diagnostics;
  /** Values up to this one were asked for; words behind it are reported. */
  #used = 0;

  constructor(statement: Statement, diagnostics: Diagnostics) {
    this.statement = statement;
    this.diagnostics = diagnostics;
  }

  get keyword(): string {
    return this.statement.words[0]?.text ?? '';
  }

  get place(): Place {
    return this.statement.words[0]?.place ?? { file: '?', line: 0, column: 0 };
  }

  get block(): readonly Statement[] {
    return this.statement.block ?? [];
  }

  /** How many values there are. */
  get count(): number {
    return this.statement.words.length - 1;
  }

  peek(n: number): Word | null {
    return this.statement.words[n] ?? null;
  }

  /** The n-th value, from 1. */
  word(n = 1): Word | null {
    this.#used = Math.max(this.#used, n);
    const word = this.statement.words[n];
    if (word === undefined) this.diagnostics.error(this.place, `${this.keyword} needs a value`);
    return word ?? null;
  }

  text(n = 1): string | null {
    return this.word(n)?.text ?? null;
  }

  /** Takes all values, e.g. for a command line. */
  all(): readonly Word[] {
    this.#used = this.count;
    return this.statement.words.slice(1);
  }

  integer(min: number, max: number, n = 1): number | null {
    const word = this.word(n);
    if (word === null) return null;
    const value = /^[+-]?\d+$/.test(word.text) ? Number(word.text) : Number.NaN;
    if (Number.isNaN(value) || value < min || value > max) {
      this.diagnostics.error(word.place, `${this.keyword}: ${word.text} is not a whole number from ${min} to ${max}`);
      return null;
    }
    return value;
  }

  /** A time in seconds, with fractions, as milliseconds. */
  seconds(min: number, max: number, n = 1): number | null {
    const word = this.word(n);
    if (word === null) return null;
    const value = /^\d*\.?\d+$|^\d+\.$/.test(word.text) ? Number(word.text) : Number.NaN;
    if (Number.isNaN(value) || value < min || value > max) {
      this.diagnostics.error(
        word.place,
        `${this.keyword}: ${word.text} is not a number of seconds from ${min} to ${max}`,
      );
      return null;
    }
    return Math.round(value * 1e6) / 1000;
  }

  /** on, true, yes or nothing; off, false, no. */
  boolean(n = 1): boolean | null {
    if (this.peek(n) === null) return true;
    const word = this.word(n);
    if (word === null) return null;
    if (/^(on|true|yes)$/.test(word.text)) return true;
    if (/^(off|false|no)$/.test(word.text)) return false;
    this.diagnostics.error(word.place, `${this.keyword}: ${word.text} is neither on, true, yes nor off, false, no`);
    return null;
  }

  /** A script and its arguments, then perhaps a user and a group. */
  command(): Command | null {
    const word = this.word(1);
    if (word === null) return null;
    const argv = splitCommand(word.text);
    if (argv.length === 0) {
      this.diagnostics.error(word.place, `${this.keyword} names no script`);
      return null;
    }
    return { argv, user: this.user(2), place: word.place };
  }

  user(n: number): User | null {
    const user = this.peek(n);
    if (user === null) return null;
    this.#used = Math.max(this.#used, n + 1);
    return { user: user.text, group: this.peek(n + 1)?.text ?? null };
  }

  /** Reports values that nothing asked for, and a block that has no business here. */
  finish(hasBlock: boolean): void {
    const extra = this.statement.words[this.#used + 1];
    if (extra !== undefined) this.diagnostics.error(extra.place, `${this.keyword}: what is ${extra.text} for? ignored`);
    if (!hasBlock && this.statement.block !== null) {
      this.diagnostics.error(this.place, `${this.keyword} has no block: ignored with what is in it`);
    }
  }
}

/** What to do with words that are known and not handled. */
export interface Unhandled {
  /** Reported as warnings. */
  readonly harmless: ReadonlySet<string>;
  /** Reported as errors, with the reason. */
  readonly reasons: ReadonlyMap<string, string>;
}

/** Reads the statements of a block by a table of words. `blocks` are the table's words that have a block themselves. */
export function readBlock<T>(
  where: string,
  statements: readonly Statement[],
  table: WordTable<T>,
  blocks: ReadonlySet<string>,
  unhandled: Unhandled,
  target: T,
  diagnostics: Diagnostics,
): void {
  for (const statement of statements) {
    const reader = new StatementReader(statement, diagnostics);
    const word = reader.keyword;
    const handler = Object.hasOwn(table, word) ? table[word] : undefined;
    if (handler !== undefined) {
      handler(target, reader);
      reader.finish(blocks.has(word));
      continue;
    }
    const reason = unhandled.reasons.get(word);
    if (reason !== undefined) diagnostics.error(reader.place, `${word}: ${reason}`);
    else if (unhandled.harmless.has(word))
      diagnostics.warning(reader.place, `${word} is not handled, and changes nothing here`);
    else {
      const known = [...Object.keys(table), ...unhandled.harmless, ...unhandled.reasons.keys()];
      diagnostics.error(reader.place, `unknown word ${word} in ${where}${suggestion(word, known)}`);
    }
  }
}

/** A command line as words: white space separates, single and double quotes keep together. No shell is involved. */
export function splitCommand(text: string): string[] {
  return [...text.matchAll(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g)].map((m) => m[0].replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));
}
