/**
 * Bytes from a server to replies: RESP2 and RESP3, incrementally. No sockets here. Written from the protocol's
 * description ("RESP protocol spec", redis.io) and the RESP3 proposal.
 *
 * What comes out:
 *
 * | on the wire               | here                                                                     |
 * | ------------------------- | ------------------------------------------------------------------------ |
 * | `+` simple string         | string                                                                   |
 * | `-` `!` errors            | ErrorReply                                                               |
 * | `:` integer               | number, or bigint beyond 2^53                                            |
 * | `$` bulk, `=` verbatim    | string or Buffer (option `strings`); a verbatim's `txt:` mark is dropped |
 * | `*` `%` `~` `>`           | array, MapReply, SetReply, PushReply                                     |
 * | `_`, `$-1`, `*-1`         | null                                                                     |
 * | `#` `,` `(`               | boolean, number, bigint                                                  |
 * | `|` attributes            | read, checked against the limits, and dropped                            |
 * | `$?` `*?` `%?` … streamed | refused                                                                  |
 */
import { constants } from 'node:buffer';
import { assert } from '../base/assert.js';
import { ByteStore } from './byte-store.js';
import { MARK, MARKS } from './marks.js';
import { parseBigNumber, parseCount, parseDouble, parseInteger } from './numbers.js';
import { type RespErrorCode, RespProtocolError } from './protocol-error.js';
import { ErrorReply, MapReply, PushReply, type Reply, SetReply } from './reply.js';
import { DEFAULT_RESP_LIMITS, type RespLimits } from './resp-limits.js';

export interface RespDecoderOptions {
  /**
   * Bulk strings as UTF-8 text (invalid bytes become U+FFFD) or as bytes. Default `text`, which the length of a
   * JavaScript string limits to some 24 bytes less than 512 MiB.
   */
  readonly strings?: 'text' | 'bytes';
  readonly limits?: Partial<RespLimits>;
}

type OnValue = (value: Reply) => void;
type AggregateKind = 'array' | 'map' | 'set' | 'push' | 'attribute';
type BulkKind = 'string' | 'verbatim' | 'error';

interface Frame {
  readonly kind: AggregateKind;
  readonly count: number;
  readonly items: Reply[];
}

const CR = 0x0d;
const LF = 0x0a;
const QUESTION = 0x3f;

const NO_BULK = -1;

/**
 * One stream of replies. Each byte is looked at once, however the stream is cut into chunks; what comes out never
 * refers to a chunk, so a chunk may be reused after `feed`. An idle decoder holds no buffer.
 */
export class RespDecoder {
  readonly #limits: RespLimits;
  readonly #text: boolean;
  /** The part of a line or payload that has arrived. */
  readonly #part = new ByteStore();
  readonly #open: Frame[] = [];
  /** The bytes of the payload being read, or NO_BULK while a line is. */
  #bulkLength = NO_BULK;
  #bulkKind: BulkKind = 'string';
  /** How much of the CR LF that ends the line or payload has been seen: 0 or 1 bytes. */
  #endSeen = 0;
  #elements = 0;
  #bytes = 0;
  /** The stream offset of the current chunk. */
  #base = 0;
  /** The stream offset of the value being read. */
  #valueAt = 0;
  #feeding = false;
  #broken: unknown = null;

  constructor(options: RespDecoderOptions = {}) {
    this.#text = options.strings !== 'bytes';
    const limits = { ...DEFAULT_RESP_LIMITS, ...options.limits };
    const longest = this.#text ? constants.MAX_STRING_LENGTH : constants.MAX_LENGTH;
    this.#limits = { ...limits, bulk_bytes: Math.min(limits.bulk_bytes, longest) };
  }

  /** True when no value is half read. */
  get idle(): boolean {
    return this.#bytes === 0 && this.#part.length === 0;
  }

  /**
   * Reads a chunk and calls `onValue` for every top-level value that it completes, in order, before returning.
   * `onValue` must not call `feed`. If it throws, the rest of the chunk is lost and the decoder is unusable.
   * @throws {RespProtocolError} on the first fault, and again, the same error, on every later call.
   */
  feed(chunk: Uint8Array, onValue: OnValue): void {
    if (this.#broken !== null) throw this.#broken;
    assert(!this.#feeding, 'RespDecoder.feed was called from its own callback');
    const bytes = chunk instanceof Buffer ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#feeding = true;
    try {
      let at = 0;
      while (at < bytes.length) {
        at = this.#bulkLength === NO_BULK ? this.#line(bytes, at, onValue) : this.#bulk(bytes, at, onValue);
      }
    } catch (error) {
      this.#broken = error;
      this.#part.clear();
      this.#open.length = 0;
      throw error;
    } finally {
      this.#feeding = false;
    }
    this.#base += bytes.length;
  }

  #fail(code: RespErrorCode, message: string, offset = this.#valueAt): never {
    throw new RespProtocolError(code, `${message} (at byte ${offset} of the stream)`, offset);
  }

  /** Reads a line, or its next part, from `at`; returns where it stopped. */
  #line(bytes: Buffer, at: number, onValue: OnValue): number {
    if (this.#part.length === 0) this.#begin(bytes[at] ?? 0, at);
    const limit = this.#limits.line_bytes;
    const end = this.#endSeen === 0 ? lineEnd(bytes, at) : at;
    if (this.#part.length + end - at > limit) this.#fail('ERR_RESP_LINE_TOO_LONG', `A line exceeds ${limit} bytes`);
    const next = this.#lineFeed(bytes, end);
    if (next !== null && this.#part.length === 0) {
      this.#deliver(this.#value(bytes, at, end), onValue);
      return next;
    }
    this.#part.append(bytes, at, end, limit);
    if (next === null) return bytes.length;
    const whole = this.#part.take();
    this.#deliver(this.#value(whole, 0, whole.length), onValue);
    return next;
  }

  /** Notes where a value begins and refuses an unknown type at once, not at the end of its line. */
  #begin(mark: number, at: number): void {
    this.#valueAt = this.#base + at;
    if (MARKS.has(mark)) return;
    const shown = mark > 0x20 && mark < 0x7f ? `'${String.fromCharCode(mark)}'` : `0x${mark.toString(16)}`;
    this.#fail('ERR_RESP_TYPE', `No RESP type begins with ${shown}`);
  }

  /** Checks the CR LF at `at` (or the rest of it); returns what follows it, or null when it has not all arrived. */
  #lineFeed(bytes: Buffer, at: number): number | null {
    for (let here = at; here < bytes.length; here++) {
      const wanted = this.#endSeen === 0 ? CR : LF;
      if (bytes[here] !== wanted) this.#fail('ERR_RESP_LINE_END', 'CR LF expected', this.#base + here);
      if (this.#endSeen === 1) {
        this.#endSeen = 0;
        return here + 1;
      }
      this.#endSeen = 1;
    }
    return null;
  }

  /** Reads a payload, or its next part, and the CR LF behind it; returns where it stopped. */
  #bulk(bytes: Buffer, at: number, onValue: OnValue): number {
    const length = this.#bulkLength;
    const end = Math.min(bytes.length, at + length - this.#part.length);
    const inOneChunk = this.#part.length === 0 && this.#endSeen === 0 && at + length + 2 <= bytes.length;
    if (!inOneChunk) this.#part.append(bytes, at, end, length);
    const next = this.#lineFeed(bytes, end);
    if (next === null) return bytes.length;
    this.#bulkLength = NO_BULK;
    this.#deliver(
      inOneChunk ? this.#payload(bytes, at, end, false) : this.#payload(this.#part.take(), 0, length, true),
      onValue,
    );
    return next;
  }

  /** @param owned `bytes` is no one else's and need not be copied. */
  #payload(bytes: Buffer, start: number, end: number, owned: boolean): Reply {
    const from = this.#bulkKind === 'verbatim' ? start + 4 : start;
    if (this.#bulkKind === 'error') return new ErrorReply(bytes.toString('utf8', from, end));
    if (this.#text) return bytes.toString('utf8', from, end);
    return owned ? bytes.subarray(from, end) : Buffer.from(bytes.subarray(from, end));
  }

  /** A whole line, type mark first: its value, or undefined when the line only opens one. */
  #value(bytes: Buffer, start: number, end: number): Reply | undefined {
    this.#spend(end - start);
    const first = start + 1;
    switch (bytes[start]) {
      case MARK.simple:
        return bytes.toString('utf8', first, end);
      case MARK.error:
        return new ErrorReply(bytes.toString('utf8', first, end));
      case MARK.integer:
        return this.#scalar(parseInteger, 'an integer', bytes.toString('latin1', first, end));
      case MARK.double:
        return this.#scalar(parseDouble, 'a double', bytes.toString('latin1', first, end));
      case MARK.bigNumber:
        return this.#scalar(parseBigNumber, 'a big number', bytes.toString('latin1', first, end));
      case MARK.boolean:
        return this.#scalar(parseBoolean, 'a boolean', bytes.toString('latin1', first, end));
      case MARK.null:
        if (end !== first) this.#fail('ERR_RESP_NUMBER', 'A null (_) with something behind it');
        return null;
      case MARK.bulk:
        return this.#openBulk('string', bytes, first, end);
      case MARK.verbatim:
        return this.#openBulk('verbatim', bytes, first, end);
      case MARK.bulkError:
        return this.#openBulk('error', bytes, first, end);
      case MARK.array:
        return this.#openAggregate('array', bytes, first, end);
      case MARK.map:
        return this.#openAggregate('map', bytes, first, end);
      case MARK.set:
        return this.#openAggregate('set', bytes, first, end);
      case MARK.attribute:
        return this.#openAggregate('attribute', bytes, first, end);
      case MARK.push:
        return this.#openAggregate('push', bytes, first, end);
      default:
        return this.#fail('ERR_RESP_TYPE', 'No RESP type begins like this');
    }
  }

  #scalar(parse: (text: string) => Reply, what: string, text: string): Reply {
    return parse(text) ?? this.#fail('ERR_RESP_NUMBER', `Not ${what}: ${JSON.stringify(text.slice(0, 40))}`);
  }

  #openBulk(kind: BulkKind, bytes: Buffer, start: number, end: number): null | undefined {
    const length = this.#count(bytes, start, end, kind === 'string');
    if (length === null) return null;
    const limit = this.#limits.bulk_bytes;
    if (length > limit) this.#fail('ERR_RESP_BULK_TOO_LONG', `A string of ${length} bytes; at most ${limit} are read`);
    if (kind === 'verbatim' && length < 4) this.#fail('ERR_RESP_LENGTH', 'A verbatim string without its format');
    this.#spend(length);
    this.#bulkKind = kind;
    this.#bulkLength = length;
    return undefined;
  }

  #openAggregate(kind: AggregateKind, bytes: Buffer, start: number, end: number): Reply | undefined {
    const announced = this.#count(bytes, start, end, kind === 'array');
    if (announced === null) return null;
    if (kind === 'push' && this.#open.length > 0) this.#fail('ERR_RESP_NESTED_PUSH', 'A push inside another value');
    const { aggregate_count, element_count, depth } = this.#limits;
    const count = kind === 'map' || kind === 'attribute' ? announced * 2 : announced;
    if (count > aggregate_count) {
      this.#fail('ERR_RESP_AGGREGATE_TOO_BIG', `${count} elements; at most ${aggregate_count} are read`);
    }
    this.#elements += count;
    if (this.#elements > element_count) {
      this.#fail('ERR_RESP_TOO_MANY_ELEMENTS', `More than ${element_count} elements in one value`);
    }
    if (this.#open.length >= depth) this.#fail('ERR_RESP_TOO_DEEP', `Nested deeper than ${depth}`);
    const frame: Frame = { kind, count, items: [] };
    if (count === 0) return close(frame);
    this.#open.push(frame);
    return undefined;
  }

  /** A length or count; null for the -1 of RESP2's nulls, where that is allowed. */
  #count(bytes: Buffer, start: number, end: number, nullable: boolean): number | null {
    if (bytes[start] === QUESTION) this.#fail('ERR_RESP_STREAMED', 'Streamed strings and aggregates are not read');
    const count = parseCount(bytes, start, end);
    if (count !== null) return count;
    const text = bytes.toString('latin1', start, Math.min(end, start + 40));
    if (nullable && text === '-1') return null;
    return this.#fail('ERR_RESP_LENGTH', `Not a length: ${JSON.stringify(text)}`);
  }

  #spend(bytes: number): void {
    this.#bytes += bytes;
    const limit = this.#limits.value_bytes;
    if (this.#bytes > limit) this.#fail('ERR_RESP_VALUE_TOO_BIG', `A value exceeds ${limit} bytes`);
  }

  /** Puts a value where it belongs: into the innermost open aggregate, closing those that it completes, or out. */
  #deliver(value: Reply | undefined, onValue: OnValue): void {
    let done = value;
    while (done !== undefined) {
      const frame = this.#open.at(-1);
      if (frame === undefined) {
        this.#elements = 0;
        this.#bytes = 0;
        onValue(done);
        return;
      }
      frame.items.push(done);
      if (frame.items.length < frame.count) return;
      this.#open.pop();
      done = close(frame);
    }
  }
}

/** The index of the first CR or LF from `at`, or the end of the chunk. */
function lineEnd(bytes: Buffer, at: number): number {
  let i = at;
  for (; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === CR || byte === LF) break;
  }
  return i;
}

function parseBoolean(text: string): boolean | null {
  if (text === 't') return true;
  return text === 'f' ? false : null;
}

/** The value of a complete aggregate; attributes have none: what they describe comes next, in their place. */
function close(frame: Frame): Reply | undefined {
  switch (frame.kind) {
    case 'array':
      return frame.items;
    case 'set':
      return new SetReply(frame.items);
    case 'push':
      return new PushReply(frame.items);
    case 'map':
      return new MapReply(pairs(frame.items));
    case 'attribute':
      return undefined;
  }
}

function pairs(items: readonly Reply[]): (readonly [Reply, Reply])[] {
  const entries: (readonly [Reply, Reply])[] = [];
  for (let i = 0; i + 1 < items.length; i += 2) entries.push([items[i] ?? null, items[i + 1] ?? null]);
  return entries;
}
