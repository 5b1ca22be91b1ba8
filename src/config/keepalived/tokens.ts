/** Words, quotes and braces of one line. */
import type { Diagnostics, Place } from './diagnostics.js';
import { type Line, placeOf } from './lines.js';

export interface Word {
  readonly text: string;
  /** True when any of it stood in quotes: then it is never a brace, and may be split as a command line. */
  readonly quoted: boolean;
  readonly place: Place;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

// Web pages put no-break spaces where a tab was; nobody means one as part of a word.
const SPACE = /[\s\u00a0\u3000]/;

/** @param warned files whose odd spaces have been reported: once a file is enough. */
export function tokenize(line: Line, diagnostics: Diagnostics, warned: Set<string>): Word[] {
  const words: Word[] = [];
  const { text } = line;
  let i = 0;
  while (i < text.length) {
    if (SPACE.test(text[i] ?? '')) {
      i++;
      continue;
    }
    if (text[i] === '{' || text[i] === '}') {
      words.push({ text: text[i] ?? '', quoted: false, place: placeOf(line, i) });
      i++;
      continue;
    }
    const word = readWord(line, i, diagnostics);
    words.push(word.word);
    i = word.end;
  }
  const odd = text.search(/[\u00a0\u3000]/);
  if (odd !== -1 && !warned.has(line.file)) {
    warned.add(line.file);
    diagnostics.warning(placeOf(line, odd), 'no-break spaces, here and further on, are taken for spaces');
  }
  return words;
}

function readWord(line: Line, start: number, diagnostics: Diagnostics): { word: Word; end: number } {
  const { text } = line;
  const place = placeOf(line, start);
  let out = '';
  let quote = '';
  let quoted = false;
  let i = start;
  for (; i < text.length; i++) {
    const c = text[i] ?? '';
    if (c === '\\' && i + 1 < text.length) {
      const escaped = readEscape(text, i);
      out += escaped.value;
      i = escaped.end - 1;
    } else if (quote !== '') {
      if (c === quote) quote = '';
      else out += c;
    } else if (c === '"' || c === "'") {
      quote = c;
      quoted = true;
    } else if (SPACE.test(c)) {
      break;
    } else if ((c === '{' || c === '}') && !isReferenceBrace(text, i)) {
      break;
    } else {
      out += c;
    }
  }
  if (quote !== '') diagnostics.error(place, `the quote ${quote} that starts here does not end on this line`);
  return { word: { text: out, quoted, place }, end: i };
}

/** An undefined `${NAME}` stays in the text as it is. */
function isReferenceBrace(text: string, index: number): boolean {
  const open = text.lastIndexOf('${', index);
  if (open === -1) return false;
  if (text[index] === '{') return open === index - 1;
  const close = text.indexOf('}', open);
  return close === index;
}

function readEscape(text: string, start: number): { value: string; end: number } {
  const rest = text.slice(start + 1);
  const octal = /^[0-7]{1,3}/.exec(rest)?.[0];
  if (octal !== undefined)
    return { value: String.fromCharCode(Number.parseInt(octal, 8)), end: start + 1 + octal.length };
  const hex = /^x([0-9a-fA-F]+)/.exec(rest);
  if (hex !== null)
    return { value: String.fromCharCode(Number.parseInt(hex[1] ?? '', 16)), end: start + 1 + hex[0].length };
  const control = /^c([\s\S])/.exec(rest);
  if (control !== null) return { value: String.fromCharCode((control[1] ?? '').charCodeAt(0) & 0x1f), end: start + 3 };
  const c = rest[0] ?? '';
  return { value: ESCAPES[c] ?? c, end: start + 2 };
}
