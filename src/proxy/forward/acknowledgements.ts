/**
 * Writes that are acknowledged only when a replica has them. Behind the writes that gathered in a turn goes one WAIT, on
 * the same connection, since it speaks of its own connection's writes; while it is unanswered the connection carries out
 * nothing else, and the next writes gather here. The replies that came before it are kept until it says that a replica has
 * all of them.
 */
import { COMMANDS } from '../commands/table.js';
import { MINUS } from '../framing/codes.js';
import { encodeRequest } from '../redis-encode.js';
import { type BufferPool, copyBytes, NO_BYTES } from './bytes.js';

/** `who` of a WAIT. Joins count downwards from -2, but not as far. */
export const WAITER = -0x7fffffff;

/** Reply bytes that may be kept. */
const KEPT_MAX_BYTES = 16 * 1024 * 1024;

/** Where replies go when they may. */
export interface ReplyReceiver {
  deliver(who: number, seq: number, bytes: Buffer, start: number, end: number): void;
  refuse(who: number, seq: number, message: string): void;
}

/** Of one connection. */
export class Acknowledgements {
  /** A WAIT has been sent and not answered. */
  asked = false;
  /** A request is on its way in parts: no WAIT may be put between them. */
  inParts = false;
  /** The WAIT. */
  readonly request: Buffer;
  readonly #wait_ms: number;
  readonly #pool: BufferPool;
  readonly #receiver: ReplyReceiver;
  /** Writes without a WAIT behind them. */
  #unasked = 0;
  #bytes: Buffer = NO_BYTES;
  #used = 0;
  #begun = 0;
  #who: number[] = [];
  #seq: number[] = [];
  #end: number[] = [];
  #answer = '';

  /** @param wait_ms how long a write may wait for a replica. */
  constructor(pool: BufferPool, receiver: ReplyReceiver, wait_ms: number) {
    this.#pool = pool;
    this.#receiver = receiver;
    this.#wait_ms = wait_ms;
    // 0 would wait for ever.
    this.request = encodeRequest(['WAIT', '1', String(Math.max(1, wait_ms))]);
  }

  /** A request has been taken. */
  taken(command: number): void {
    this.#unasked += COMMANDS.durable[command] as number;
  }

  /** There are writes for which a WAIT is to be sent now. */
  get due(): boolean {
    return this.#unasked > 0 && !this.asked && !this.inParts;
  }

  /** A WAIT has been put behind all that was taken. */
  askedNow(): void {
    this.asked = true;
    this.#unasked = 0;
  }

  /** Keeps (a part of) a reply to a write. @returns false when there is no room. */
  keep(who: number, seq: number, bytes: Buffer, start: number, end: number, last: boolean): boolean {
    const after = this.#used + end - start;
    if (after > KEPT_MAX_BYTES) return false;
    if (after > this.#bytes.length) this.#bytes = this.#pool.grow(this.#bytes, this.#used, after);
    copyBytes(bytes, start, end, this.#bytes, this.#used);
    this.#used = after;
    if (!last) return true;
    this.#who.push(who);
    this.#seq.push(seq);
    this.#end.push(after);
    this.#begun = after;
    return true;
  }

  /** Takes (a part of) the answer to the WAIT; with its last part the replies go out, or errors in their place. */
  answered(bytes: Buffer, start: number, end: number, last: boolean): void {
    if (this.#answer.length < 256) this.#answer += bytes.toString('latin1', start, end);
    if (!last) return;
    const count = /^:(\d+)/.exec(this.#answer)?.[1];
    const problem =
      count === undefined
        ? `the server refused WAIT: ${this.#answer.slice(1).trimEnd()}`
        : `no replica had it within ${this.#wait_ms} ms`;
    this.#settle(Number(count ?? 0) > 0 ? null : `NOREPLICAS the write is on the master, but ${problem}`);
  }

  /** The connection is lost. */
  lost(why: string): void {
    this.#used = this.#begun;
    this.#settle(`NOREPLICAS the write was on the master, but the connection was lost before a replica had it: ${why}`);
    this.#unasked = 0;
    this.inParts = false;
  }

  /** An error that the master gave stands as it is: nothing was written. */
  #settle(problem: string | null): void {
    this.asked = false;
    this.#answer = '';
    const bytes = this.#bytes;
    const [who, seq, ends] = [this.#who, this.#seq, this.#end];
    // What is delivered may lead to new requests.
    this.#bytes = NO_BYTES;
    this.#who = [];
    this.#seq = [];
    this.#end = [];
    this.#used = 0;
    this.#begun = 0;
    let start = 0;
    for (let i = 0; i < ends.length; i++) {
      const end = ends[i] as number;
      const isError = bytes[start] === MINUS;
      if (problem === null || isError) this.#receiver.deliver(who[i] as number, seq[i] as number, bytes, start, end);
      else this.#receiver.refuse(who[i] as number, seq[i] as number, problem);
      start = end;
    }
    this.#pool.give(bytes);
  }
}
