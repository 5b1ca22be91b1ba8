/**
 * A configuration file of Redis's kind as a lossless document: `printConf(parseConf(text)) === text` for any text.
 * What the words mean is for others to say (`sentinel-conf.ts`).
 */
import { type ConfWord, decodeUtf8, isSpace, type SplitFault, splitWords } from './conf-words.js';

interface LineBase {
  /** 1-based. */
  readonly number: number;
  /** The line as it stands in the file, without its ending. */
  readonly text: string;
  /** `\n`, `\r\n`, or empty for a last line without an ending. */
  readonly ending: '\n' | '\r\n' | '';
}

export type ConfLine =
  | (LineBase & { readonly kind: 'blank' })
  /** A line whose first visible character is `#`. */
  | (LineBase & { readonly kind: 'comment' })
  | (LineBase & {
      readonly kind: 'directive';
      /** At least one, unless `fault` is in the first word. */
      readonly words: readonly ConfWord[];
      readonly fault: SplitFault | null;
    });

export type DirectiveLine = Extract<ConfLine, { kind: 'directive' }>;

export interface ConfDocument {
  /** The name shown in errors. */
  readonly file: string;
  readonly lines: readonly ConfLine[];
  /** How the file's bytes became text; `latin1` only for a file that is not UTF-8. */
  readonly encoding: 'utf8' | 'latin1';
}

/** Parses a text. Never throws: faults stand in their lines. */
export function parseConf(text: string, file: string, encoding: 'utf8' | 'latin1' = 'utf8'): ConfDocument {
  const lines: ConfLine[] = [];
  let at = 0;
  while (at < text.length) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline;
    const crlf = newline > at && text[newline - 1] === '\r';
    const ending = newline === -1 ? '' : crlf ? '\r\n' : '\n';
    lines.push(parseLine(text.slice(at, crlf ? end - 1 : end), lines.length + 1, ending));
    at = newline === -1 ? text.length : newline + 1;
  }
  return { file, lines, encoding };
}

/**
 * Parses a file's bytes. Bytes that are not UTF-8 are kept (a comment in an old encoding must survive a rewrite), but
 * such a file may use ASCII only in its directives.
 */
export function parseConfBytes(bytes: Uint8Array, file: string): ConfDocument {
  const utf8 = decodeUtf8(bytes);
  if (utf8 !== null) return parseConf(utf8, file, 'utf8');
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return parseConf(text, file, 'latin1');
}

/** One line's meaning. @param text without its ending. */
export function parseLine(text: string, number: number, ending: ConfLine['ending']): ConfLine {
  let first = 0;
  while (first < text.length && isSpace(text[first])) first += 1;
  if (first === text.length) return { kind: 'blank', number, text, ending };
  if (text[first] === '#') return { kind: 'comment', number, text, ending };
  return { kind: 'directive', number, text, ending, ...splitWords(text) };
}

/** The document as text. */
export function printConf(doc: ConfDocument): string {
  return doc.lines.map((line) => line.text + line.ending).join('');
}

/** The document as the bytes of a file. */
export function printConfBytes(doc: ConfDocument): Uint8Array {
  const text = printConf(doc);
  if (doc.encoding === 'utf8') return new TextEncoder().encode(text);
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
