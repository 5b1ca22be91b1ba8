/**
 * From files to the lines that count: comments gone, `include` followed, `@host` conditions decided, `$NAME` replaced.
 * Every character keeps the column it was written in.
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Diagnostics, Place } from './diagnostics.js';
import { glob, hasWildcard } from './glob.js';

/** A line ready for words. `columns[i]` is where its i-th character stood. */
export interface Line {
  readonly text: string;
  readonly columns: readonly number[];
  readonly file: string;
  readonly line: number;
}

export interface LineOptions {
  /** What `@id` is compared with; keepalived's `-i`, by default the host's name without its domain. */
  readonly configId?: string;
  /** Text to read instead of the file's, by path; for checking what is not on a disk. */
  readonly texts?: ReadonlyMap<string, string>;
}

const MAX_INCLUDES = 64;
const MAX_SUBSTITUTIONS = 1000;
const DEFINITION = /^\s*\$([A-Za-z_]\w*)=(.*)$/;
const CONDITION = /^(\s*)@(\^?)([^\s]+)/;
const INCLUDE = /^(\s*)(include[rmwba]?)\s+(.*?)\s*$/;

export function readLines(path: string, options: LineOptions, diagnostics: Diagnostics): Line[] {
  const reader = new LineReader(options, diagnostics);
  reader.file(resolve(path), { file: path, line: 1, column: 1 }, true);
  return reader.lines;
}

export function placeOf(line: Line, index: number): Place {
  const column = line.columns[index] ?? (line.columns.at(-1) ?? 0) + 1;
  return { file: line.file, line: line.line, column };
}

class LineReader {
  readonly lines: Line[] = [];
  readonly #options: LineOptions;
  readonly #diagnostics: Diagnostics;
  readonly #definitions = new Map<string, readonly string[]>();
  readonly #configId: string;
  #depth = 0;
  #directory = '/';
  /** A definition whose lines are still coming. */
  #open: { name: string; lines: string[] } | null = null;

  constructor(options: LineOptions, diagnostics: Diagnostics) {
    this.#options = options;
    this.#diagnostics = diagnostics;
    this.#configId = options.configId ?? hostname().split('.')[0] ?? '';
  }

  file(path: string, from: Place, main: boolean): void {
    const text = this.#text(path, from, main);
    if (text === null) return;
    const outside = this.#directory;
    this.#directory = dirname(path);
    for (const [i, raw] of text.split('\n').entries()) this.#raw(raw.replace(/\r$/, ''), path, i + 1);
    if (this.#open !== null) {
      const place = { file: path, line: text.split('\n').length, column: 1 };
      this.#diagnostics.error(place, `the definition of $${this.#open.name} does not end: its last line ends with \\`);
      this.#open = null;
    }
    this.#directory = outside;
  }

  #text(path: string, from: Place, main: boolean): string | null {
    const given = this.#options.texts?.get(path);
    if (given !== undefined) return given;
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      const message = `cannot read ${path}: ${why}`;
      if (main) this.#diagnostics.fatal(from, message);
      else this.#diagnostics.error(from, message);
      return null;
    }
  }

  #raw(raw: string, file: string, line: number): void {
    if (this.#open !== null) {
      this.#continue(raw, file, line);
      return;
    }
    const text = stripComment(raw);
    const columns = Array.from(text, (_, i) => i + 1);
    const include = INCLUDE.exec(text);
    if (include !== null) this.#include(include, { file, line, column: (include[1] ?? '').length + 1 });
    else this.#expand({ text, columns, file, line }, 0);
  }

  #continue(raw: string, file: string, line: number): void {
    const open = this.#open;
    if (open === null) return;
    const more = /^(.*)\\\s*$/.exec(raw);
    open.lines.push(stripComment(more?.[1] ?? raw));
    if (more !== null) return;
    this.#open = null;
    this.#define(open.name, open.lines, { file, line, column: 1 });
  }

  #include(match: RegExpExecArray, place: Place): void {
    const word = match[2] ?? 'include';
    const pattern = (match[3] ?? '').replace(/^(["'])(.*)\1$/, '$2');
    if (this.#depth >= MAX_INCLUDES) {
      this.#diagnostics.error(place, `include: more than ${MAX_INCLUDES} files inside each other`);
      return;
    }
    const files = glob(pattern, this.#directory).filter((f) => !f.endsWith('~'));
    // `includer` asks for readable files only, plain `include` for nothing; but silence hides typing errors.
    const optional = word === 'include' || word === 'includer';
    if (files.length === 0 && !(optional && hasWildcard(pattern))) {
      const known = this.#options.texts?.has(resolve(this.#directory, pattern)) ?? false;
      if (!known) this.#diagnostics.error(place, `${word}: no file matches ${pattern}`);
      else files.push(resolve(this.#directory, pattern));
    }
    this.#depth++;
    for (const file of files) this.file(file, place, false);
    this.#depth--;
  }

  /** Decides conditions and replaces names until nothing is left to replace. */
  #expand(start: Line, depth: number): void {
    let line = start;
    for (let rounds = 0; ; rounds++) {
      if (rounds > MAX_SUBSTITUTIONS || depth > MAX_INCLUDES) {
        this.#diagnostics.error(placeOf(start, 0), 'a $NAME is defined by itself');
        return;
      }
      const condition = CONDITION.exec(line.text);
      if (condition !== null) {
        const same = condition[3] === this.#configId;
        if (same === (condition[2] === '^')) return;
        line = cutFront(line, condition[0].length);
        continue;
      }
      const definition = DEFINITION.exec(line.text);
      if (definition !== null) {
        this.#startDefinition(definition[1] ?? '', definition[2] ?? '', line);
        return;
      }
      if (/^\s*~(SEQx?|LST)\(/.test(line.text)) {
        this.#diagnostics.error(
          placeOf(line, line.text.indexOf('~')),
          '~SEQ and ~LST blocks are not handled: write the lines out',
        );
        return;
      }
      const reference = this.#reference(line);
      if (reference === null) break;
      const [first = '', ...rest] = reference.value;
      if (rest.length > 0) {
        this.#expandLines(line, reference, depth);
        return;
      }
      line = splice(line, reference.start, reference.end, first);
    }
    if (line.text.trim() !== '') this.lines.push(line);
  }

  /** A definition of several lines stands for several lines. */
  #expandLines(line: Line, reference: Reference, depth: number): void {
    const column = line.columns[reference.start] ?? 1;
    const before = line.text.slice(0, reference.start);
    const after = line.text.slice(reference.end);
    for (const text of `${before}${reference.value.join('\n')}${after}`.split('\n')) {
      this.#expand({ ...line, text, columns: Array.from(text, () => column) }, depth + 1);
    }
  }

  #startDefinition(name: string, value: string, line: Line): void {
    const more = /^(.*)\\\s*$/.exec(value);
    if (more === null) this.#define(name, [value.trimEnd()], placeOf(line, 0));
    else this.#open = { name, lines: (more[1] ?? '').trim() === '' ? [] : [more[1] ?? ''] };
  }

  #define(name: string, value: readonly string[], place: Place): void {
    if (name.startsWith('_')) this.#diagnostics.warning(place, `$${name}: names with _ in front are keepalived's own`);
    this.#definitions.set(name, value);
  }

  #reference(line: Line): Reference | null {
    const pattern = /\$(?:\{([A-Za-z_]\w*)((?:\s+\d+){0,2})\s*\}|([A-Za-z_]\w*)(?=\s|$))/g;
    for (const match of line.text.matchAll(pattern)) {
      const value = this.#value(match[1] ?? match[3] ?? '', match[2] ?? '');
      if (value !== null) return { start: match.index, end: match.index + match[0].length, value };
    }
    return null;
  }

  #value(name: string, args: string): readonly string[] | null {
    const defined = this.#definitions.get(name);
    if (defined !== undefined) return defined;
    if (name === '_PWD') return [this.#directory];
    if (name === '_INSTANCE') return [this.#configId];
    if (name === '_HASH') return ['#'];
    if (name === '_BANG') return ['!'];
    if (name !== '_RANDOM') return null;
    const [min = 0, max = 32_767] = args.trim() === '' ? [] : args.trim().split(/\s+/).map(Number);
    return [String(min + Math.floor(Math.random() * (max - min + 1)))];
  }
}

interface Reference {
  readonly start: number;
  readonly end: number;
  readonly value: readonly string[];
}

/** `#` and `!` start a comment anywhere but inside quotes or behind a backslash. */
function stripComment(text: string): string {
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    if (c === '\\') i++;
    else if (quote !== '') quote = c === quote ? '' : quote;
    else if (c === '"' || c === "'") quote = c;
    else if (c === '#' || c === '!') return text.slice(0, i);
  }
  return text;
}

function cutFront(line: Line, length: number): Line {
  return { ...line, text: line.text.slice(length), columns: line.columns.slice(length) };
}

function splice(line: Line, start: number, end: number, value: string): Line {
  const column = line.columns[start] ?? 1;
  return {
    ...line,
    text: line.text.slice(0, start) + value + line.text.slice(end),
    columns: [...line.columns.slice(0, start), ...Array.from(value, () => column), ...line.columns.slice(end)],
  };
}
