/** What every directive's reader shares: reporting with a place, taking arguments, trailing comments, numbers. */

import type { ConfDocument, DirectiveLine } from './conf-lines.js';
import type { ConfWord, SplitFault } from './conf-words.js';
import type { ConfigProblem, ProblemList } from './config-error.js';

/** Something accepted that the user may want to know. */
export interface ConfNote {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** How many arguments a directive takes, its name not counted. `max: null`: any number. */
export interface Arity {
  readonly min: number;
  readonly max: number | null;
  /** False where a word that begins with `#` is never a comment (the password hashes of `user`). */
  readonly comments: boolean;
}

/** Exactly `count` arguments, after which a comment may follow. */
export function exactly(count: number): Arity {
  return { min: count, max: count, comments: true };
}

/** A directive with its arguments taken apart and its place at hand. */
export class LineReader {
  constructor(
    readonly doc: ConfDocument,
    readonly line: DirectiveLine,
    readonly problems: ProblemList,
    readonly notes: ConfNote[],
    /** True: neither the words nor the line are shown in a problem. */
    readonly secret: boolean,
  ) {}

  /** Reports a fault at a word (or at the line's first word). */
  fail(word: ConfWord | null, message: string, fix: string): void {
    const at = word ?? this.line.words[0] ?? null;
    const text = this.line.text.slice((at?.column ?? 1) - 1, (at?.endColumn ?? 1) - 1);
    this.failAt(at?.column ?? 1, text, message, fix);
  }

  failAt(column: number, word: string, message: string, fix: string): void {
    const { file } = this.doc;
    const hidden = this.secret ? { word: '', source: '' } : { word, source: this.line.text };
    const problem: ConfigProblem = { file, line: this.line.number, column, message, fix, ...hidden };
    this.problems.add(problem);
  }

  note(word: ConfWord | null, message: string): void {
    const column = (word ?? this.line.words[0])?.column ?? 1;
    this.notes.push({ file: this.doc.file, line: this.line.number, column, message });
  }

  /**
   * The arguments after the first `skip` words, a trailing comment left out. Null (and a problem reported) when there
   * are too few or too many or the line cannot be split.
   */
  take(skip: number, arity: Arity, usage: string): readonly ConfWord[] | null {
    const { words, fault } = withoutComment(this.line, skip, arity);
    if (fault !== null) {
      this.fault(fault);
      return null;
    }
    const args = words.slice(skip);
    const extra = arity.max === null ? undefined : args[arity.max];
    const right = args.length >= arity.min && extra === undefined;
    if (!right) {
      this.fail(extra ?? null, `wrong number of arguments: ${args.length} given`, `write \`${usage}\``);
      return null;
    }
    return this.allEncoded(args) ? args : null;
  }

  fault(fault: SplitFault): void {
    const rest = this.line.text.slice(fault.column - 1);
    this.failAt(fault.column, rest.slice(0, 1), fault.what, faultFix(fault));
  }

  /** In a file that is not UTF-8 nobody knows what a byte beyond ASCII stands for. */
  allEncoded(words: readonly ConfWord[]): boolean {
    if (this.doc.encoding === 'utf8') return true;
    const bad = words.find((word) => !/^[\0-\x7f]*$/.test(this.line.text.slice(word.column - 1, word.endColumn - 1)));
    if (bad !== undefined)
      this.fail(bad, 'the file is not UTF-8', 'save the file as UTF-8, or use ASCII in directives');
    return bad === undefined;
  }

  /** A decimal integer in [low, high]; null and a problem otherwise. */
  integer(word: ConfWord, low: number, high: number, what: string): number | null {
    const value = /^[+-]?\d{1,20}$/.test(word.text) ? Number(word.text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= low && value <= high) return value === 0 ? 0 : value;
    const message = Number.isNaN(value) ? `${what} is not a whole number` : `${what} is out of range`;
    this.fail(word, message, `a whole number from ${low} to ${high}`);
    return null;
  }

  yesNo(word: ConfWord, what: string): boolean | null {
    switch (word.text.toLowerCase()) {
      case 'yes':
        return true;
      case 'no':
        return false;
      default:
        this.fail(word, `${what} must be yes or no`, 'write `yes` or `no`');
        return null;
    }
  }
}

/**
 * The words of a directive without a trailing comment: a word that begins with `#` where the directive has all it needs.
 * @param skip how many words name the directive.
 */
export function withoutComment(
  line: DirectiveLine,
  skip: number,
  arity: Arity,
): { words: readonly ConfWord[]; fault: SplitFault | null } {
  const { words, fault } = line;
  if (!arity.comments) return { words, fault };
  const enough = skip + arity.min;
  const cut = words.findIndex((word, index) => index >= enough && word.startsHash);
  if (cut !== -1) return { words: words.slice(0, cut), fault: null };
  const inComment = fault?.startsHash === true && words.length >= enough;
  return { words, fault: inComment ? null : fault };
}

function faultFix(fault: SplitFault): string {
  switch (fault.what) {
    case 'unbalanced quotes':
      return 'close the quote on the same line, or write \\" for a quote inside a word in double quotes';
    case 'text after a closing quote':
      return 'put a space after the closing quote, or remove the quotes';
    case 'escaped bytes are not UTF-8':
      return 'write the value in UTF-8';
    case 'NUL character':
      return 'remove it: the file may not be a text file';
  }
}
