/**
 * Counts a Redis request through to its end while its bytes pass by, for a request too large to be kept: nothing is
 * stored but where in the grammar the last byte was.
 */
import { CR, DOLLAR, LF, NINE, STAR, ZERO } from './codes.js';

type Where = 'type' | 'number' | 'line-feed' | 'body' | 'body-cr' | 'body-lf';

export class RedisRequestMeter {
  done = false;
  malformed = false;
  #where: Where = 'type';
  #inHeader = true;
  #number = 0;
  #argsLeft = 0;
  #bodyLeft = 0;

  /** Starts over, before the first byte of a request. */
  reset(): void {
    this.done = false;
    this.malformed = false;
    this.#where = 'type';
    this.#inHeader = true;
    this.#argsLeft = 0;
  }

  /** Passes over bytes [at, end) and returns where it stopped: at `end`, or behind the request, or at the fault. */
  skip(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && !this.done && !this.malformed) {
      if (this.#where === 'body') {
        const taken = Math.min(this.#bodyLeft, end - at);
        at += taken;
        this.#bodyLeft -= taken;
        if (this.#bodyLeft === 0) this.#where = 'body-cr';
      } else {
        this.#step(bytes[at] ?? 0);
        at++;
      }
    }
    return at;
  }

  #step(byte: number): void {
    switch (this.#where) {
      case 'type':
        this.malformed = byte !== (this.#inHeader ? STAR : DOLLAR);
        this.#number = 0;
        this.#where = 'number';
        return;
      case 'number':
        if (byte === CR) this.#where = 'line-feed';
        else if (byte >= ZERO && byte <= NINE && this.#number < 1e9) this.#number = this.#number * 10 + byte - ZERO;
        else this.malformed = true;
        return;
      case 'line-feed':
        this.malformed = byte !== LF;
        this.#lineEnded();
        return;
      case 'body-cr':
        this.malformed = byte !== CR;
        this.#where = 'body-lf';
        return;
      case 'body-lf':
        this.malformed = byte !== LF;
        this.#where = 'type';
        this.#argsLeft--;
        this.done = this.#argsLeft === 0;
        return;
      case 'body':
        return;
    }
  }

  #lineEnded(): void {
    if (this.#inHeader) {
      this.#inHeader = false;
      this.#argsLeft = this.#number;
      this.#where = 'type';
      this.done = this.#argsLeft === 0;
    } else {
      this.#bodyLeft = this.#number;
      this.#where = this.#bodyLeft === 0 ? 'body-cr' : 'body';
    }
  }
}
