/** A YAML text with comments, built from parts: what is printed is read as the same values. */
import { stringify } from 'yaml';

export type Scalar = string | number | boolean;
export type Flow = Scalar | readonly Flow[] | { readonly [key: string]: Flow };

export interface Entry {
  readonly key: string;
  readonly value:
    | { readonly kind: 'flow'; readonly flow: Flow }
    | { readonly kind: 'map'; readonly entries: readonly Entry[] }
    /** One item a line. */
    | { readonly kind: 'list'; readonly items: readonly { readonly flow: Flow; readonly comment: string }[] };
  /** Empty for none. */
  readonly comment: string;
}

/** `key: value  # comment`. */
export function flow(key: string, value: Flow, comment = ''): Entry {
  return { key, value: { kind: 'flow', flow: value }, comment };
}

/** A key with more keys below it. */
export function map(key: string, entries: readonly Entry[], comment = ''): Entry {
  return { key, value: { kind: 'map', entries }, comment };
}

/** The text of a map, with a line feed at its end. */
export function printEntries(entries: readonly Entry[], indent = ''): string {
  return entries.map((entry) => printEntry(entry, indent)).join('');
}

function printEntry({ key, value, comment }: Entry, indent: string): string {
  const head = `${indent}${inline(key)}:`;
  switch (value.kind) {
    case 'flow':
      return `${head} ${inline(value.flow)}${behind(comment)}\n`;
    case 'map':
      if (value.entries.length === 0) return `${head} {}${behind(comment)}\n`;
      return `${head}${behind(comment)}\n${printEntries(value.entries, `${indent}  `)}`;
    case 'list': {
      if (value.items.length === 0) return `${head} []${behind(comment)}\n`;
      const items = value.items.map((item) => `${indent}  - ${inline(item.flow)}${behind(item.comment)}\n`);
      return `${head}${behind(comment)}\n${items.join('')}`;
    }
  }
}

/** A comment in one line, whatever is in it. */
export function behind(comment: string): string {
  return comment === '' ? '' : `  # ${oneLine(comment)}`;
}

export function oneLine(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\ud7ff]+/g, ' ').trim();
}

function inline(value: Flow): string {
  if (typeof value === 'string') return scalar(value);
  if (typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(inline).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, each]) => `${scalar(key)}: ${inline(each)}`)
    .join(', ')}}`;
}

function isList(value: object): value is readonly Flow[] {
  return Array.isArray(value);
}

/** Bare where YAML, in a list or not, reads a bare word as the same text; else in double quotes, as JSON has them. */
function scalar(text: string): string {
  const bare = /^[A-Za-z0-9_./][A-Za-z0-9_./:-]*$/.test(text) && !text.endsWith(':');
  return bare && stringify(text, { lineWidth: 0 }).trimEnd() === text ? text : JSON.stringify(text);
}
