/**
 * A second RESP decoder, for tests only: it has the whole stream, reads it recursively with string functions, and knows
 * no limits. What it says about short streams, `RespDecoder` must say too.
 */
import { ErrorReply, MapReply, PushReply, type Reply, SetReply } from '../../src/redis/reply.js';

class Truncated extends Error {}
class Wrong extends Error {}

const TYPES = '+-:$*_#,(!=%~|>';
const REFUSED_LINE = /[\r\n]/;

/** The values of a stream, and whether it goes wrong after them. */
export function naiveDecode(wire: Uint8Array): { values: Reply[]; failed: boolean } {
  const reader = new Reader(Buffer.from(wire).toString('latin1'));
  const values: Reply[] = [];
  try {
    while (!reader.atEnd) {
      const value = reader.value(true);
      if (value !== undefined) values.push(value);
    }
  } catch (error) {
    if (error instanceof Truncated) return { values, failed: false };
    if (error instanceof Wrong) return { values, failed: true };
    throw error;
  }
  return { values, failed: false };
}

class Reader {
  #at = 0;
  constructor(readonly text: string) {}

  get atEnd(): boolean {
    return this.#at === this.text.length;
  }

  /** One value; undefined for attributes, whose value comes next. */
  value(top: boolean): Reply | undefined {
    if (this.atEnd) throw new Truncated();
    const mark = this.text.charAt(this.#at);
    if (!TYPES.includes(mark)) throw new Wrong();
    const line = this.#line().slice(1);
    switch (mark) {
      case '+':
        return utf8(line);
      case '-':
        return new ErrorReply(utf8(line));
      case ':':
        return integer(line);
      case '_':
        return line === '' ? null : wrong();
      case '#':
        return line === 't' || line === 'f' ? line === 't' : wrong();
      case ',':
        return double(line);
      case '(':
        return /^[+-]?[0-9]+$/.test(line) ? BigInt(line.replace('+', '')) : wrong();
      case '$':
        return line === '-1' ? null : utf8(this.#payload(length(line)));
      case '!':
        return new ErrorReply(utf8(this.#payload(length(line))));
      case '=':
        return length(line) < 4 ? wrong() : utf8(this.#payload(length(line)).slice(4));
      case '*':
        return line === '-1' ? null : this.#items(length(line));
      case '~':
        return new SetReply(this.#items(length(line)));
      case '>':
        return top ? new PushReply(this.#items(length(line))) : wrong();
      case '%':
        return new MapReply(this.#pairs(length(line)));
      default:
        this.#pairs(length(line));
        return undefined;
    }
  }

  #items(count: number): Reply[] {
    const items: Reply[] = [];
    while (items.length < count) {
      const value = this.value(false);
      if (value !== undefined) items.push(value);
    }
    return items;
  }

  #pairs(count: number): [Reply, Reply][] {
    const flat = this.#items(count * 2);
    return flat.flatMap((key, i) => (i % 2 === 0 ? [[key, flat[i + 1] ?? null] satisfies [Reply, Reply]] : []));
  }

  #line(): string {
    const rest = this.text.slice(this.#at);
    const end = rest.search(REFUSED_LINE);
    if (end === -1) throw new Truncated();
    this.#end(this.#at + end);
    return rest.slice(0, end);
  }

  #payload(size: number): string {
    const start = this.#at;
    if (start + size > this.text.length) throw new Truncated();
    this.#end(start + size);
    return this.text.slice(start, start + size);
  }

  #end(at: number): void {
    const found = this.text.slice(at, at + 2);
    if (!'\r\n'.startsWith(found)) throw new Wrong();
    if (found.length < 2) throw new Truncated();
    this.#at = at + 2;
  }
}

function wrong(): never {
  throw new Wrong();
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString();
}

function integer(line: string): number | bigint {
  if (!/^[+-]?[0-9]{1,19}$/.test(line)) throw new Wrong();
  const exact = BigInt(line.replace('+', ''));
  if (BigInt.asIntN(64, exact) !== exact) throw new Wrong();
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}

function double(line: string): number {
  const lower = line.toLowerCase().replace(/^\+/, '');
  if (lower === 'inf') return Number.POSITIVE_INFINITY;
  if (lower === '-inf') return Number.NEGATIVE_INFINITY;
  if (lower === 'nan' || lower === '-nan') return Number.NaN;
  if (!/^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(line)) throw new Wrong();
  return Number(line);
}

function length(line: string): number {
  if (!/^[0-9]{1,10}$/.test(line)) throw new Wrong();
  return Number(line);
}
