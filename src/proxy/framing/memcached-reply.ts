/** Finds where replies of a memcached end, at whatever byte the stream is cut. */
import { CR, LF } from './codes.js';

/** A reply line is short: a key has at most 250 bytes. */
const LINE_MAX_BYTES = 2048;

export class MemcachedReplyScanner {
  complete = false;
  broken = false;
  readonly #line = Buffer.alloc(LINE_MAX_BYTES);
  #line_bytes = 0;
  #body_bytes = 0;

  reset(): void {
    this.complete = false;
    this.broken = false;
    this.#line_bytes = 0;
    this.#body_bytes = 0;
  }

  scan(bytes: Uint8Array, start: number, end: number): number {
    this.complete = false;
    let at = start;
    while (at < end && !this.complete && !this.broken) {
      if (this.#body_bytes > 0) {
        const taken = Math.min(this.#body_bytes, end - at);
        at += taken;
        this.#body_bytes -= taken;
        if (this.#body_bytes === 0 && bytes[at - 1] !== LF) this.broken = true;
      } else {
        this.#take(bytes[at] ?? 0);
        at++;
      }
    }
    return at;
  }

  #take(byte: number): void {
    if (byte === LF) {
      this.#lineEnded();
    } else if (this.#line_bytes === LINE_MAX_BYTES) {
      this.broken = true;
    } else {
      this.#line[this.#line_bytes++] = byte;
    }
  }

  #lineEnded(): void {
    if (this.#line_bytes < 2 || this.#line[this.#line_bytes - 1] !== CR) {
      this.broken = true;
      return;
    }
    const line = this.#line.toString('latin1', 0, this.#line_bytes - 1);
    this.#line_bytes = 0;
    if (!line.startsWith('VALUE ')) {
      // Anything else is a reply of one line, or the END behind the values.
      this.complete = isReplyLine(line);
      this.broken = !this.complete;
      return;
    }
    const size = Number(line.split(' ')[3] ?? '');
    this.broken = !Number.isInteger(size) || size < 0;
    this.#body_bytes = size + 2;
  }
}

const REPLY_LINE =
  /^(END|STORED|NOT_STORED|EXISTS|NOT_FOUND|DELETED|TOUCHED|OK|ERROR|CLIENT_ERROR .*|SERVER_ERROR .*|VERSION .*|\d+ *)$/;

function isReplyLine(line: string): boolean {
  return REPLY_LINE.test(line);
}
