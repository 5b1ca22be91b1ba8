/**
 * Finds where replies of a Redis server end, RESP2 and RESP3, at whatever byte the stream is cut. A reply is passed on
 * as its bytes arrive, so the scanner keeps only its place in the grammar, never the bytes.
 */
import { COLON, CR, DOLLAR, LF, MINUS, NINE, PLUS, ZERO } from './codes.js';

/** Longer lines than this (an error, a simple string, a number) are no Redis reply. */
const LINE_MAX_BYTES = 1024 * 1024;
/** A reply of more elements than this is taken for garbage. */
const ELEMENTS_MAX = 2 ** 32;

const LINE = 0;
const BULK = 1;
const ARRAY = 2;
const PAIRS = 3;
const ATTRIBUTE = 4;
const UNKNOWN = 5;

/** What kind of element a type byte begins. */
const KIND = new Uint8Array(256).fill(UNKNOWN);
for (const byte of [PLUS, MINUS, COLON]) KIND[byte] = LINE;
for (const type of '_,#(') KIND[type.charCodeAt(0)] = LINE;
for (const type of '$=!') KIND[type.charCodeAt(0)] = BULK;
for (const type of '*~>') KIND[type.charCodeAt(0)] = ARRAY;
KIND['%'.charCodeAt(0)] = PAIRS;
KIND['|'.charCodeAt(0)] = ATTRIBUTE;

const AT_TYPE = 0;
const IN_LINE = 1;
const IN_BODY = 2;

export class RedisReplyScanner {
  /** After {@link scan}: a reply ended where the scan did. */
  complete = false;
  /** The stream is no Redis protocol; nothing after this point can be trusted. */
  broken = false;
  #elementsLeft = 1;
  #where = AT_TYPE;
  #kind = LINE;
  #value = 0;
  #negative = false;
  #line_bytes = 0;
  #sawCr = false;
  #body_bytes = 0;

  /** True between replies. */
  get idle(): boolean {
    return this.#where === AT_TYPE && this.#elementsLeft === 1;
  }

  reset(): void {
    this.complete = false;
    this.broken = false;
    this.#elementsLeft = 1;
    this.#where = AT_TYPE;
  }

  /**
   * Passes over bytes from `start` up to the end of the current reply, or to `end` when it goes on beyond.
   * @returns the position reached; `complete` and `broken` say why it stopped.
   */
  scan(bytes: Uint8Array, start: number, end: number): number {
    this.complete = false;
    if (this.#where === AT_TYPE && this.#elementsLeft === 1) {
      const quick = this.#scanSimple(bytes, start, end);
      if (quick !== 0) {
        this.complete = true;
        return quick;
      }
    }
    return this.#scanSlowly(bytes, start, end);
  }

  /** The common replies whole in the buffer: a line, or a bulk string. 0 when this is not one. */
  #scanSimple(bytes: Uint8Array, start: number, end: number): number {
    const type = bytes[start];
    let at = start + 1;
    if (type === DOLLAR) {
      let length = 0;
      const limit = Math.min(end, at + 9);
      for (; at < limit; at++) {
        const byte = bytes[at] ?? 0;
        if (byte < ZERO || byte > NINE) break;
        length = length * 10 + byte - ZERO;
      }
      // `$-1` and whatever is odd goes the slow way.
      if (at === start + 1 || at + 1 >= end || bytes[at] !== CR || bytes[at + 1] !== LF) return 0;
      const after = at + 2 + length + 2;
      return after <= end && bytes[after - 2] === CR && bytes[after - 1] === LF ? after : 0;
    }
    if (type === PLUS || type === COLON) {
      const limit = Math.min(end - 1, at + 64);
      for (; at < limit; at++) if (bytes[at] === CR) return bytes[at + 1] === LF ? at + 2 : 0;
    }
    return 0;
  }

  #scanSlowly(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      if (this.#where === IN_BODY) {
        const taken = Math.min(this.#body_bytes, end - at);
        at += taken;
        this.#body_bytes -= taken;
        if (this.#body_bytes > 0) break;
        if (!this.#bodyEndedWell(bytes, at)) return at;
        this.#elementDone();
      } else if (this.#where === AT_TYPE) {
        this.#beginLine(bytes[at] ?? 0);
        at++;
      } else {
        const byte = bytes[at] ?? 0;
        at++;
        if (this.#inLine(byte)) this.#lineDone();
      }
      if (this.broken) return at;
      if (this.#elementsLeft === 0) {
        this.#elementsLeft = 1;
        this.complete = true;
        return at;
      }
    }
    return at;
  }

  /** A body's last byte is checked where it is seen; its CR may have come in an earlier read. */
  #bodyEndedWell(bytes: Uint8Array, at: number): boolean {
    this.broken = bytes[at - 1] !== LF;
    return !this.broken;
  }

  #beginLine(type: number): void {
    this.#kind = KIND[type] ?? UNKNOWN;
    this.broken = this.#kind === UNKNOWN;
    this.#where = IN_LINE;
    this.#value = 0;
    this.#negative = false;
    this.#line_bytes = 0;
    this.#sawCr = false;
  }

  /** Takes one byte of a line; true when the line ended with it. */
  #inLine(byte: number): boolean {
    if (this.#sawCr) {
      if (byte === LF) return true;
      // A CR inside a line is text there; in a length it is garbage.
      this.broken = this.#kind !== LINE;
      this.#sawCr = byte === CR;
      return false;
    }
    this.#line_bytes++;
    if (byte === CR) this.#sawCr = true;
    else if (this.#kind !== LINE) this.#digit(byte);
    if (this.#line_bytes > LINE_MAX_BYTES) this.broken = true;
    return false;
  }

  #digit(byte: number): void {
    if (byte === MINUS && this.#line_bytes === 1) this.#negative = true;
    else if (byte >= ZERO && byte <= NINE && this.#value < 1e12) this.#value = this.#value * 10 + byte - ZERO;
    else this.broken = true;
  }

  #lineDone(): void {
    // A length without digits, or a negative one that is not the null's -1, is none.
    if (this.#kind !== LINE && this.#line_bytes < (this.#negative ? 3 : 2)) this.broken = true;
    if (this.#negative && this.#value !== 1) this.broken = true;
    if (this.broken) return;
    switch (this.#kind) {
      case BULK:
        if (this.#negative) this.#elementDone();
        else {
          this.#body_bytes = this.#value + 2;
          this.#where = IN_BODY;
        }
        return;
      case ARRAY:
        this.#aggregate(this.#negative ? 0 : this.#value, 1);
        return;
      case PAIRS:
        this.#aggregate(this.#value * 2, 1);
        return;
      case ATTRIBUTE:
        // An attribute comes before the element it belongs to, and is not counted as one.
        this.#aggregate(this.#value * 2, 0);
        return;
      default:
        this.#elementDone();
    }
  }

  #aggregate(children: number, itself: number): void {
    this.#elementsLeft += children - itself;
    this.#where = AT_TYPE;
    if (this.#elementsLeft > ELEMENTS_MAX) this.broken = true;
  }

  #elementDone(): void {
    this.#elementsLeft--;
    this.#where = AT_TYPE;
  }
}
