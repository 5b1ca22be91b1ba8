/**
 * Splitting a line into words and quoting a word, by the rules of Redis's configuration files:
 * - words are separated by ASCII white space;
 * - `"…"` knows \n \r \t \b \a \" \\ and \xHH; any other character after a backslash stands for itself;
 * - `'…'` knows \' only;
 * - a quote may open inside a word, and after a closing quote the word must end.
 */

export interface ConfWord {
  /** The value, quotes and escapes resolved. */
  readonly text: string;
  /** Where the word begins in its line: 1-based, in characters (UTF-16 units). */
  readonly column: number;
  /** The column just after the word. */
  readonly endColumn: number;
  /** True when the word begins with an unquoted `#`: a comment, if its directive needs no more words. */
  readonly startsHash: boolean;
}

/** Why the rest of a line could not be split. The words before it are good. */
export interface SplitFault {
  readonly what: 'unbalanced quotes' | 'text after a closing quote' | 'escaped bytes are not UTF-8' | 'NUL character';
  /** Where: the opening quote, or the character that must not be there. */
  readonly column: number;
  /** True when the word in which it happens begins with an unquoted `#`: such a word may be a comment. */
  readonly startsHash: boolean;
  /** Where that word begins. */
  readonly wordColumn: number;
}

export interface SplitLine {
  readonly words: readonly ConfWord[];
  readonly fault: SplitFault | null;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/** Splits one line (without its line ending). Never throws: a fault is part of the result. */
export function splitWords(line: string): SplitLine {
  const words: ConfWord[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && isSpace(line[at])) at += 1;
    if (at >= line.length) return { words, fault: null };
    const start = at;
    const startsHash = line[at] === '#';
    const result = readWord(line, at);
    if ('what' in result) {
      const fault = { what: result.what, column: result.at + 1, startsHash, wordColumn: start + 1 };
      return { words, fault };
    }
    at = result.end;
    words.push({ text: result.text, column: start + 1, endColumn: at + 1, startsHash });
  }
}

type WordResult = { text: string; end: number } | { what: SplitFault['what']; at: number };

function readWord(line: string, from: number): WordResult {
  let text = '';
  let at = from;
  while (at < line.length && !isSpace(line[at])) {
    const char = line[at] ?? '';
    if (char === '\0') return { what: 'NUL character', at };
    if (char !== '"' && char !== "'") {
      text += char;
      at += 1;
      continue;
    }
    const quoted = char === '"' ? readDoubleQuoted(line, at) : readSingleQuoted(line, at);
    if ('what' in quoted) return quoted;
    text += quoted.text;
    at = quoted.end;
    if (at < line.length && !isSpace(line[at])) return { what: 'text after a closing quote', at };
  }
  return { text, end: at };
}

function readDoubleQuoted(line: string, open: number): WordResult {
  let text = '';
  let at = open + 1;
  while (at < line.length) {
    const char = line[at] ?? '';
    if (char === '"') return { text, end: at + 1 };
    if (char === '\0') return { what: 'NUL character', at };
    if (isHexEscape(line, at)) {
      const bytes: number[] = [];
      const first = at;
      for (; isHexEscape(line, at); at += 4) bytes.push(Number.parseInt(line.slice(at + 2, at + 4), 16));
      const decoded = decodeUtf8(Uint8Array.from(bytes));
      if (decoded === null) return { what: 'escaped bytes are not UTF-8', at: first };
      text += decoded;
    } else if (char === '\\' && at + 1 < line.length) {
      const next = line[at + 1] ?? '';
      text += ESCAPES[next] ?? next;
      at += 2;
    } else {
      text += char;
      at += 1;
    }
  }
  return { what: 'unbalanced quotes', at: open };
}

function readSingleQuoted(line: string, open: number): WordResult {
  let text = '';
  let at = open + 1;
  while (at < line.length) {
    const char = line[at] ?? '';
    if (char === "'") return { text, end: at + 1 };
    if (char === '\0') return { what: 'NUL character', at };
    const escaped = char === '\\' && line[at + 1] === "'";
    text += escaped ? "'" : char;
    at += escaped ? 2 : 1;
  }
  return { what: 'unbalanced quotes', at: open };
}

function isHexEscape(line: string, at: number): boolean {
  return line[at] === '\\' && line[at + 1] === 'x' && /^[0-9a-fA-F]{2}$/.test(line.slice(at + 2, at + 4));
}

/** Null when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** ASCII white space, as C's isspace() has it. JavaScript's \s would also split at U+00A0. */
export function isSpace(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\v' || char === '\f' || char === '\r';
}

/** Characters that make a word need quotes. A `#` at its start would make it a comment for a reader of ours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const NEEDS_QUOTES = /^$|^#|["'\\\x00-\x20\x7f]/;

/**
 * A word as it is written into a file: bare where that is safe, else in double quotes.
 * @param asciiOnly write other characters as \xHH of their UTF-8 bytes (for a file that is not UTF-8 itself).
 */
export function quoteWord(word: string, asciiOnly = false): string {
  const escapeWide = asciiOnly && /[^\x20-\x7e]/.test(word);
  if (!NEEDS_QUOTES.test(word) && !escapeWide) return word;
  let out = '';
  for (const char of word) out += quoteChar(char, asciiOnly);
  return `"${out}"`;
}

function quoteChar(char: string, asciiOnly: boolean): string {
  switch (char) {
    case '"':
    case '\\':
      return `\\${char}`;
    case '\n':
      return '\\n';
    case '\r':
      return '\\r';
    case '\t':
      return '\\t';
    case '\b':
      return '\\b';
    case '\x07':
      return '\\a';
    default: {
      const code = char.codePointAt(0) ?? 0;
      if (code >= 0x20 && code < 0x7f) return char;
      if (code > 0x7f && !asciiOnly) return char;
      return [...new TextEncoder().encode(char)].map((b) => `\\x${b.toString(16).padStart(2, '0')}`).join('');
    }
  }
}
