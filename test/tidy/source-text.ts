/**
 * Enough of TypeScript's lexis to tell code from comments and strings. Everything that is blanked is replaced by spaces,
 * so that offsets and line numbers stay those of the file.
 */

/** A source with its comments blanked, and its strings' contents too. */
export interface Code {
  /** Neither comments nor the contents of strings, templates and regular expressions; quotes stay. */
  readonly bare: string;
  /** The comments, with everything else blanked. */
  readonly comments: string;
}

type Region = 'code' | 'comment' | 'literal';

/** Splits a source into code, comments and literals. */
export function readCode(text: string): Code {
  const regions = regionsOf(text);
  const keep = (wanted: Region) => {
    let kept = '';
    for (let i = 0; i < text.length; i++) kept += text[i] === '\n' || regions[i] === wanted ? text[i] : ' ';
    return kept;
  };
  return { bare: keep('code'), comments: keep('comment') };
}

/** The line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** What each UTF-16 unit of the text belongs to. */
function regionsOf(text: string): Region[] {
  const regions: Region[] = new Array<Region>(text.length).fill('code');
  // Depths of braces at which a template's `${` was opened.
  const templates: number[] = [];
  let depth = 0;
  let at = 0;
  const mark = (end: number, region: Region) => {
    regions.fill(region, at, Math.min(end, text.length));
    at = end;
  };
  while (at < text.length) {
    const char = text[at] ?? '';
    const two = text.slice(at, at + 2);
    if (two === '//') mark(endOf(text, '\n', at), 'comment');
    else if (two === '/*') mark(endOf(text, '*/', at + 2) + 2, 'comment');
    else if (char === "'" || char === '"') {
      const end = endOfString(text, at + 1, char);
      at += 1;
      mark(end, 'literal');
      at = end + 1;
    } else if (char === '`' || (char === '}' && templates.at(-1) === depth)) {
      if (char === '}') templates.pop();
      at += 1;
      const end = endOfTemplatePart(text, at);
      mark(end, 'literal');
      if (text[end] === '$') {
        templates.push(depth);
        at = end + 2;
      } else at = end + 1;
    } else if (char === '/' && startsRegex(text.slice(Math.max(0, at - 100), at))) {
      mark(endOfRegex(text, at + 1), 'literal');
    } else {
      if (char === '{') depth++;
      if (char === '}') depth--;
      at += 1;
    }
  }
  return regions;
}

function endOf(text: string, what: string, from: number): number {
  const end = text.indexOf(what, from);
  return end === -1 ? text.length : end;
}

function endOfString(text: string, from: number, quote: string): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === quote || text[i] === '\n') return i;
  }
  return text.length;
}

/** The offset of the closing backquote, or of the next `${`. */
function endOfTemplatePart(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '`' || (text[i] === '$' && text[i + 1] === '{')) return i;
  }
  return text.length;
}

/** A slash begins a regular expression where a value may begin, and divides elsewhere. */
function startsRegex(before: string): boolean {
  const code = before.trimEnd();
  if (code === '') return true;
  return /[(,=:[!&|?{};+\-*%<>~^]$/.test(code) || /\b(return|typeof|case|in|of|do|else|void|yield|await)$/.test(code);
}

function endOfRegex(text: string, from: number): number {
  let inClass = false;
  for (let i = from; i < text.length; i++) {
    const char = text[i];
    if (char === '\n') return i;
    if (char === '\\') i++;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) return i + 1;
  }
  return text.length;
}
