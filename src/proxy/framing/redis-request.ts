/**
 * Finds where a Redis request ends and where its arguments lie, without copying or allocating: one frame object is used
 * for every request of a worker. (Redis serialization protocol, "Sending commands to a Redis server".)
 */
import { CR, DOLLAR, LF, NINE, SPACE, STAR, ZERO } from './codes.js';

/** What {@link RedisRequestFrame.parse} found. */
export const INCOMPLETE = 0;
export const COMPLETE = 1;
export const MALFORMED = 2;
export type FrameState = typeof INCOMPLETE | typeof COMPLETE | typeof MALFORMED;

/** As Redis itself limits them: 1 M arguments, 512 MB an argument, 64 KiB a line. */
export const ARGUMENTS_MAX = 1024 * 1024;
export const ARGUMENT_MAX_BYTES = 512 * 1024 * 1024;
export const LINE_MAX_BYTES = 64 * 1024;

/** What a byte counts as a digit; -1 when it is none. */
function digit(byte: number | undefined): number {
  return byte !== undefined && byte >= ZERO && byte <= NINE ? byte - ZERO : -1;
}

export class RedisRequestFrame {
  /** Where the request ends, when complete. */
  end = 0;
  /** Arguments found so far; all of them when complete. The command's name is argument 0. */
  argc = 0;
  /** How many arguments the request announces; -1 while that is unknown. */
  announced = -1;
  /** When incomplete: the request is at least this long, counted from its start. */
  need_bytes = 0;
  /** True for a line of words, as typed into telnet. */
  inline = false;
  /** When malformed: why, as Redis puts it. */
  problem = '';
  /** Start and end of argument i are at 2 i and 2 i + 1. */
  args = new Int32Array(64);

  argStart(i: number): number {
    return this.args[2 * i] ?? 0;
  }

  argEnd(i: number): number {
    return this.args[2 * i + 1] ?? 0;
  }

  /** An argument as latin-1 text, for words of the protocol; at most 256 characters. */
  argText(bytes: Uint8Array, i: number): string {
    return String.fromCharCode(...bytes.subarray(this.argStart(i), Math.min(this.argEnd(i), this.argStart(i) + 256)));
  }

  /** Frames the request that begins at `start`; bytes from `end` on are not there yet. */
  parse(bytes: Uint8Array, start: number, end: number): FrameState {
    this.argc = 0;
    this.announced = -1;
    this.inline = false;
    this.need_bytes = 1;
    if (start >= end) return INCOMPLETE;
    if (bytes[start] !== STAR) return this.#parseInline(bytes, start, end);
    if (this.#parseShort(bytes, start, end)) return COMPLETE;
    let at = start + 1;
    let count = 0;
    let digits = 0;
    for (;;) {
      if (at >= end) return this.#wait(at + 1 - start);
      const byte = bytes[at] ?? 0;
      if (byte >= ZERO && byte <= NINE && digits < 8) {
        count = count * 10 + byte - ZERO;
        digits++;
      } else if (byte === CR && digits > 0) {
        break;
      } else {
        return this.#emptyOrMalformed(bytes, start, end);
      }
      at++;
    }
    if (at + 1 >= end) return this.#wait(at + 2 - start);
    // A number with a zero in front is no number to Redis, which would close the connection that all clients share.
    const isPadded = digits > 1 && bytes[start + 1] === ZERO;
    if (bytes[at + 1] !== LF || count > ARGUMENTS_MAX || isPadded) return this.#malformed('invalid multibulk length');
    at += 2;
    this.announced = count;
    for (let i = 0; i < count; i++) {
      if (at >= end) return this.#wait(at + 4 - start);
      if (bytes[at] !== DOLLAR) {
        return this.#malformed(`expected '$', got '${String.fromCharCode(bytes[at] ?? 0)}'`);
      }
      at++;
      const first = bytes[at];
      let length = 0;
      digits = 0;
      for (;;) {
        if (at >= end) return this.#wait(at + 2 - start);
        const byte = bytes[at] ?? 0;
        if (byte >= ZERO && byte <= NINE && digits < 10) {
          length = length * 10 + byte - ZERO;
          digits++;
        } else if (byte === CR && digits > 0) {
          break;
        } else {
          return this.#malformed('invalid bulk length');
        }
        at++;
      }
      if (at + 1 >= end) return this.#wait(at + 2 - start);
      const padded = digits > 1 && first === ZERO;
      if (bytes[at + 1] !== LF || length > ARGUMENT_MAX_BYTES || padded) return this.#malformed('invalid bulk length');
      at += 2;
      const bodyEnd = at + length;
      if (bodyEnd + 2 > end) return this.#wait(bodyEnd + 2 - start);
      if (bytes[bodyEnd] !== CR || bytes[bodyEnd + 1] !== LF) return this.#malformed('argument without its line end');
      this.#add(at, bodyEnd);
      at = bodyEnd + 2;
    }
    this.end = at;
    return COMPLETE;
  }

  /**
   * Frames the usual request: all there, fewer than ten arguments, each shorter than a hundred bytes.
   * @returns false when it is not that; then it has to be looked at byte by byte.
   */
  #parseShort(bytes: Uint8Array, start: number, end: number): boolean {
    const count = digit(bytes[start + 1]);
    if (start + 4 > end || count <= 0 || bytes[start + 2] !== CR || bytes[start + 3] !== LF) return false;
    const { args } = this;
    let at = start + 4;
    for (let i = 0; i < count; i++) {
      // `$5`, CR, LF, ... or `$64`, CR, LF, ...
      if (at + 5 > end || bytes[at] !== DOLLAR) return false;
      let length = digit(bytes[at + 1]);
      if (length < 0) return false;
      at += 2;
      if (bytes[at] !== CR) {
        const unit = digit(bytes[at]);
        if (unit < 0 || length === 0 || bytes[at + 1] !== CR) return false;
        length = length * 10 + unit;
        at++;
      }
      const bodyStart = at + 2;
      const bodyEnd = bodyStart + length;
      if (bodyEnd + 2 > end || bytes[at + 1] !== LF || bytes[bodyEnd] !== CR || bytes[bodyEnd + 1] !== LF) return false;
      args[2 * i] = bodyStart;
      args[2 * i + 1] = bodyEnd;
      at = bodyEnd + 2;
    }
    this.argc = count;
    this.announced = count;
    this.end = at;
    return true;
  }

  #add(start: number, end: number): void {
    const i = 2 * this.argc++;
    if (i + 1 >= this.args.length) {
      const larger = new Int32Array(this.args.length * 4);
      larger.set(this.args);
      this.args = larger;
    }
    this.args[i] = start;
    this.args[i + 1] = end;
  }

  #wait(need_bytes: number): FrameState {
    this.need_bytes = need_bytes;
    return INCOMPLETE;
  }

  #malformed(problem: string): FrameState {
    this.problem = problem;
    return MALFORMED;
  }

  /** `*-1` and `*0` are empty requests to Redis, and are passed over. */
  #emptyOrMalformed(bytes: Uint8Array, start: number, end: number): FrameState {
    const minusOne = [STAR, 0x2d, 0x31, CR, LF];
    for (let i = 0; i < minusOne.length; i++) {
      if (start + i >= end) return this.#wait(minusOne.length);
      if (bytes[start + i] !== minusOne[i]) return this.#malformed('invalid multibulk length');
    }
    this.announced = 0;
    this.end = start + minusOne.length;
    return COMPLETE;
  }

  #parseInline(bytes: Uint8Array, start: number, end: number): FrameState {
    this.inline = true;
    const limit = Math.min(end, start + LINE_MAX_BYTES);
    let lineEnd = start;
    while (lineEnd < limit && bytes[lineEnd] !== LF) lineEnd++;
    if (lineEnd === limit) {
      return limit < end ? this.#malformed('too big inline request') : this.#wait(end + 1 - start);
    }
    this.end = lineEnd + 1;
    for (let at = start; at < lineEnd; ) {
      const byte = bytes[at] ?? 0;
      if (byte <= SPACE) {
        at++;
        continue;
      }
      let wordEnd = at;
      while (wordEnd < lineEnd && (bytes[wordEnd] ?? 0) > SPACE) wordEnd++;
      this.#add(at, wordEnd);
      at = wordEnd;
    }
    this.announced = this.argc;
    return COMPLETE;
  }
}
