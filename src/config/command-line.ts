/** What follows the file's name on the command line, by redis-server's rules, as one more configuration document. */
import type { ConfDocument, ConfLine } from './conf-lines.js';
import { type ConfWord, quoteWord, splitWords } from './conf-words.js';

export const COMMAND_LINE = '<command line>';

export interface CommandLineOverrides {
  /** To be read after the file; its columns count in the arguments joined by spaces. */
  readonly document: ConfDocument;
  /** The last argument is `-`: directives come from standard input as well. */
  readonly stdin: boolean;
}

/** An argument list that cannot be read as directives. */
export class CommandLineError extends Error {
  override readonly name = 'CommandLineError';
  readonly code = 'ERR_COMMAND_LINE';
}

/**
 * `--port 26380 --sentinel announce-ip 192.0.2.1` becomes the lines `port 26380` and `sentinel announce-ip 192.0.2.1`.
 * An option and its values may also be one argument (`"--port 26380"`). `--sentinel` alone only says what we are, and is
 * dropped. A value cannot begin with `--`.
 * @param args the arguments after the file's name.
 * @throws {CommandLineError} for a value without an option.
 */
export function commandLineOverrides(args: readonly string[]): CommandLineOverrides {
  const stdin = args.at(-1) === '-';
  const lines: Draft[] = [];
  let column = 1;
  for (const arg of stdin ? args.slice(0, -1) : args) {
    const written = quoteWord(arg);
    if (arg.startsWith('--')) lines.push(newLine(arg, written, column));
    else {
      const line = lines.at(-1);
      if (line === undefined)
        throw new CommandLineError(`\`${arg}\`: an option begins with --, as in \`--port 26380\``);
      line.words.push({ text: arg, column, endColumn: column + written.length, startsHash: false });
    }
    column += written.length + 1;
  }
  const source = args.map((arg) => quoteWord(arg)).join(' ');
  const kept = lines.filter((line) => !(line.words.length === 1 && line.words[0]?.text.toLowerCase() === 'sentinel'));
  return { document: { file: COMMAND_LINE, lines: kept.map((line) => finish(line, source)), encoding: 'utf8' }, stdin };
}

interface Draft {
  readonly words: ConfWord[];
  readonly fault: Extract<ConfLine, { kind: 'directive' }>['fault'];
}

/** An argument that begins with `--`: an option's name, perhaps with values behind it. */
function newLine(arg: string, written: string, column: number): Draft {
  const { words, fault } = splitWords(arg.slice(2));
  const inOneWord = words.length === 1 && fault === null;
  const place = (word: ConfWord): ConfWord =>
    inOneWord
      ? { ...word, column, endColumn: column + written.length }
      : // The argument is shown in quotes: one column for the quote, two for the dashes.
        { ...word, column: column + 2 + word.column, endColumn: column + 2 + word.endColumn };
  return {
    words: words.map(place),
    fault:
      fault === null
        ? null
        : { ...fault, column: column + 2 + fault.column, wordColumn: column + 2 + fault.wordColumn },
  };
}

function finish(line: Draft, source: string): ConfLine {
  return { kind: 'directive', number: 1, text: source, ending: '\n', words: line.words, fault: line.fault };
}
