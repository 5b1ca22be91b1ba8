/**
 * Bytes from a client to commands: arrays of bulk strings, and inline commands. No sockets here. Limits and error texts
 * are those of Redis 7, so that a client cannot tell; where Redis leaves CR LF unchecked, this one insists on it.
 */
import { constants } from 'node:buffer';
import { assert } from '../base/assert.js';
import { ByteStore } from './byte-store.js';
import { splitInline } from './inline-command.js';
import { parseCount } from './numbers.js';
import { type RespErrorCode, RespProtocolError } from './protocol-error.js';

/** What one request may cost. */
export interface RequestLimits {
  /** An inline command, or the line of a count or a length. */
  readonly inline_bytes: number;
  readonly args: number;
  /** One argument. */
  readonly bulk_bytes: number;
  /** All arguments of one request together. */
  readonly request_bytes: number;
}

/** As Redis has them: `proto-max-bulk-len`, `client-query-buffer-limit`, PROTO_INLINE_MAX_SIZE. */
export const DEFAULT_REQUEST_LIMITS: RequestLimits = {
  inline_bytes: 64 * 1024,
  args: 1024 * 1024,
  bulk_bytes: 512 * 1024 * 1024,
  request_bytes: 1024 * 1024 * 1024,
};

/** What Redis lets a client send before AUTH. */
export const UNAUTHENTICATED_LIMITS = { args: 10, bulk_bytes: 16 * 1024 } as const;

export interface RequestDecoderOptions {
  readonly limits?: Partial<RequestLimits>;
  /** Begin under UNAUTHENTICATED_LIMITS, until `authenticated` is set. Default false. */
  readonly unauthenticated?: boolean;
}

const CR = 0x0d;
const LF = 0x0a;
const STAR = 0x2a;
const DOLLAR = 0x24;
const NO_BULK = -1;

/**
 * One client's stream of requests. Each byte is looked at once, however the stream is cut; arguments never refer to a
 * chunk. Empty requests (`*0`, an empty line) are passed over, as Redis does. After an error it refuses all input: answer
 * `-ERR ` and the error's message, and close.
 */
abstract class RequestStream<Arg> {
  /** Set it when the client has logged in; it counts from the next argument on, even inside a `feed`. */
  authenticated: boolean;
  readonly #limits: RequestLimits;
  readonly #part = new ByteStore();
  #args: Arg[] = [];
  /** Arguments still to come of the request being read; 0 between requests. */
  #missing = 0;
  #bulkLength = NO_BULK;
  #endSeen = 0;
  #bytes = 0;
  #base = 0;
  #feeding = false;
  #broken: unknown = null;

  constructor(options: RequestDecoderOptions = {}) {
    this.#limits = { ...DEFAULT_REQUEST_LIMITS, ...options.limits };
    this.authenticated = options.unauthenticated !== true;
  }

  /** An argument from `bytes[start, end)`. @param owned `bytes` is no one else's and need not be copied. */
  protected abstract argument(bytes: Buffer, start: number, end: number, owned: boolean): Arg;

  /** True when no request is half read. */
  get idle(): boolean {
    return this.#missing === 0 && this.#part.length === 0;
  }

  /**
   * Reads a chunk and calls `onRequest` for every request that it completes, in order, before returning. `onRequest`
   * must not call `feed`. If it throws, the rest of the chunk is lost and the decoder is unusable.
   * @throws {RespProtocolError} on the first fault, and again, the same error, on every later call.
   */
  feed(chunk: Uint8Array, onRequest: (args: Arg[]) => void): void {
    if (this.#broken !== null) throw this.#broken;
    assert(!this.#feeding, 'RequestDecoder.feed was called from its own callback');
    const bytes = chunk instanceof Buffer ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#feeding = true;
    try {
      let at = 0;
      while (at < bytes.length) {
        at = this.#bulkLength === NO_BULK ? this.#line(bytes, at, onRequest) : this.#bulk(bytes, at, onRequest);
      }
    } catch (error) {
      this.#broken = error;
      this.#part.clear();
      this.#args = [];
      throw error;
    } finally {
      this.#feeding = false;
    }
    this.#base += bytes.length;
  }

  #fail(code: RespErrorCode, message: string, at: number): never {
    throw new RespProtocolError(code, `Protocol error: ${message}`, this.#base + at);
  }

  /** Reads a line, or its next part; returns where it stopped. */
  #line(bytes: Buffer, at: number, onRequest: (args: Arg[]) => void): number {
    const lf = bytes.indexOf(LF, at);
    const end = lf === -1 ? bytes.length : lf;
    const limit = this.#limits.inline_bytes;
    if (this.#part.length === 0 && this.#missing > 0) this.#expectDollar(bytes[at] ?? 0, at);
    if (this.#part.length + end - at > limit) {
      const first = this.#part.length === 0 ? bytes[at] : this.#part.first;
      this.#fail('ERR_RESP_LINE_TOO_LONG', this.#tooLong(first), at);
    }
    if (lf !== -1 && this.#part.length === 0) {
      this.#whole(bytes, at, end, at, onRequest);
      return lf + 1;
    }
    this.#part.append(bytes, at, end, limit);
    if (lf === -1) return end;
    const line = this.#part.take();
    this.#whole(line, 0, line.length, at, onRequest);
    return lf + 1;
  }

  #expectDollar(byte: number, at: number): void {
    if (byte !== DOLLAR) this.#fail('ERR_RESP_TYPE', `expected '$', got '${String.fromCharCode(byte)}'`, at);
  }

  #tooLong(first: number | undefined): string {
    if (this.#missing > 0) return 'too big bulk count string';
    return first === STAR ? 'too big mbulk count string' : 'too big inline request';
  }

  /** A whole line without its LF. */
  #whole(bytes: Buffer, start: number, end: number, at: number, onRequest: (args: Arg[]) => void): void {
    const hasCr = end > start && bytes[end - 1] === CR;
    const stop = hasCr ? end - 1 : end;
    if (this.#missing > 0) this.#openBulk(hasCr ? parseCount(bytes, start + 1, stop) : null, at);
    else if (bytes[start] === STAR) this.#openRequest(hasCr ? count(bytes, start + 1, stop) : null, at);
    else this.#inline(bytes, start, stop, at, onRequest);
  }

  #openRequest(args: number | null, at: number): void {
    if (args === null || args > this.#limits.args) this.#fail('ERR_RESP_LENGTH', 'invalid multibulk length', at);
    if (!this.authenticated && args > UNAUTHENTICATED_LIMITS.args) {
      this.#fail('ERR_RESP_AGGREGATE_TOO_BIG', 'unauthenticated multibulk length', at);
    }
    this.#missing = Math.max(0, args);
  }

  #openBulk(length: number | null, at: number): void {
    const longest = Math.min(this.#limits.bulk_bytes, constants.MAX_STRING_LENGTH);
    if (length === null || length > longest) this.#fail('ERR_RESP_LENGTH', 'invalid bulk length', at);
    if (!this.authenticated && length > UNAUTHENTICATED_LIMITS.bulk_bytes) {
      this.#fail('ERR_RESP_BULK_TOO_LONG', 'unauthenticated bulk length', at);
    }
    this.#bytes += length;
    if (this.#bytes > this.#limits.request_bytes) this.#fail('ERR_RESP_VALUE_TOO_BIG', 'too big request', at);
    this.#bulkLength = length;
  }

  #inline(bytes: Buffer, start: number, end: number, at: number, onRequest: (args: Arg[]) => void): void {
    const args = splitInline(bytes.subarray(start, end));
    if (args === null) this.#fail('ERR_RESP_QUOTES', 'unbalanced quotes in request', at);
    if (args.length === 0) return;
    onRequest(args.map((arg) => this.argument(Buffer.from(arg.buffer), 0, arg.length, true)));
  }

  /** Reads an argument, or its next part, and the CR LF behind it; returns where it stopped. */
  #bulk(bytes: Buffer, at: number, onRequest: (args: Arg[]) => void): number {
    const length = this.#bulkLength;
    const end = Math.min(bytes.length, at + length - this.#part.length);
    const inOneChunk = this.#part.length === 0 && this.#endSeen === 0 && at + length + 2 <= bytes.length;
    if (!inOneChunk) this.#part.append(bytes, at, end, length);
    const next = this.#lineFeed(bytes, end);
    if (next === null) return bytes.length;
    this.#bulkLength = NO_BULK;
    this.#args.push(
      inOneChunk ? this.argument(bytes, at, end, false) : this.argument(this.#part.take(), 0, length, true),
    );
    this.#missing -= 1;
    if (this.#missing === 0) this.#finish(onRequest);
    return next;
  }

  #lineFeed(bytes: Buffer, at: number): number | null {
    for (let here = at; here < bytes.length; here++) {
      const wanted = this.#endSeen === 0 ? CR : LF;
      if (bytes[here] !== wanted) this.#fail('ERR_RESP_LINE_END', 'expected CR LF after a bulk string', here);
      if (this.#endSeen === 1) {
        this.#endSeen = 0;
        return here + 1;
      }
      this.#endSeen = 1;
    }
    return null;
  }

  #finish(onRequest: (args: Arg[]) => void): void {
    const args = this.#args;
    this.#args = [];
    this.#bytes = 0;
    onRequest(args);
  }
}

/** Requests as text: UTF-8, invalid bytes become U+FFFD. For servers whose arguments are names and numbers. */
export class RequestDecoder extends RequestStream<string> {
  protected override argument(bytes: Buffer, start: number, end: number): string {
    return bytes.toString('utf8', start, end);
  }
}

/** Requests as bytes, unchanged. */
export class ByteRequestDecoder extends RequestStream<Uint8Array> {
  protected override argument(bytes: Buffer, start: number, end: number, owned: boolean): Uint8Array {
    return owned ? bytes.subarray(start, end) : Buffer.from(bytes.subarray(start, end));
  }
}

/** A request's number of arguments; Redis takes negative ones for an empty request. */
function count(bytes: Buffer, start: number, end: number): number | null {
  const negative = bytes[start] === 0x2d;
  const value = parseCount(bytes, negative ? start + 1 : start, end);
  return value !== null && negative ? -value : value;
}
