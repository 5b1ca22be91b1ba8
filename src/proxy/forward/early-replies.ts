/**
 * Replies that came before their turn: a client's requests go to several servers, and the second may answer first. Whole
 * replies lie one after the other in one buffer; a reply that is still arriving has a list of its own.
 */
import { type BufferPool, copyBytes, NO_BYTES } from './bytes.js';

const NOTHING = 0;
const WHOLE = 1;
const ARRIVING = 2;
const ARRIVED = 3;

/** Where drained replies go. */
export interface ReplySink {
  append(bytes: Buffer, start: number, end: number): void;
}

export class EarlyReplies {
  /** Bytes held. */
  held_bytes = 0;
  /** How many replies wait here whole. */
  wholeCount = 0;
  readonly #pool: BufferPool;
  #mask = 63;
  #state = new Uint8Array(64);
  #offset = new Int32Array(64);
  #length = new Int32Array(64);
  #bytes: Buffer = NO_BYTES;
  #used = 0;
  #arrivingCount = 0;
  readonly #arriving = new Map<number, Buffer[]>();

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  get empty(): boolean {
    return this.wholeCount === 0 && this.#arrivingCount === 0;
  }

  /** Stores (a part of) the reply to request `seq`, where `head` is the request whose turn it is. */
  store(seq: number, head: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    while (((seq - head) | 0) > this.#mask) this.#widen(head);
    const i = seq & this.#mask;
    this.held_bytes += end - start;
    if (this.#state[i] === ARRIVING) {
      this.#arriving.get(seq)?.push(Buffer.from(bytes.subarray(start, end)));
      if (last) this.#state[i] = ARRIVED;
    } else if (last) {
      this.#storeWhole(i, head, bytes, start, end);
    } else {
      this.#state[i] = ARRIVING;
      this.#arrivingCount++;
      this.#arriving.set(seq, [Buffer.from(bytes.subarray(start, end))]);
    }
    if (last) this.wholeCount++;
  }

  #storeWhole(i: number, head: number, bytes: Buffer, start: number, end: number): void {
    const size = end - start;
    if (this.#used + size > this.#bytes.length) this.#makeRoom(size, head);
    copyBytes(bytes, start, end, this.#bytes, this.#used);
    this.#state[i] = WHOLE;
    this.#offset[i] = this.#used;
    this.#length[i] = size;
    this.#used += size;
  }

  /**
   * Passes on what it has of the reply to `seq`, whose turn has come.
   * @returns true when that was all of it; false when there is nothing, or more of it is to come.
   */
  drain(seq: number, sink: ReplySink): boolean {
    const i = seq & this.#mask;
    const state = this.#state[i];
    if (state === NOTHING) return false;
    this.#state[i] = NOTHING;
    if (state === WHOLE) {
      const offset = this.#offset[i] ?? 0;
      const size = this.#length[i] ?? 0;
      sink.append(this.#bytes, offset, offset + size);
      this.held_bytes -= size;
    } else {
      for (const part of this.#arriving.get(seq) ?? []) {
        sink.append(part, 0, part.length);
        this.held_bytes -= part.length;
      }
      this.#arriving.delete(seq);
      this.#arrivingCount--;
    }
    if (state !== ARRIVING) this.wholeCount--;
    if (this.empty) this.#forget();
    return state !== ARRIVING;
  }

  /** Moves what has not been passed on to the front of a buffer with room for `size` more. */
  #makeRoom(size: number, head: number): void {
    const next = this.#pool.take(Math.max(2 * (this.held_bytes + size), this.#bytes.length));
    let used = 0;
    for (let k = 0; k <= this.#mask; k++) {
      const i = (head + k) & this.#mask;
      if (this.#state[i] !== WHOLE) continue;
      const offset = this.#offset[i] ?? 0;
      const length = this.#length[i] ?? 0;
      // The entry being stored is not marked yet, so this moves older ones only.
      copyBytes(this.#bytes, offset, offset + length, next, used);
      this.#offset[i] = used;
      used += length;
    }
    this.#pool.give(this.#bytes);
    this.#bytes = next;
    this.#used = used;
  }

  /** Gives its memory back. */
  clear(): void {
    this.#arriving.clear();
    this.#arrivingCount = 0;
    this.wholeCount = 0;
    this.#state.fill(NOTHING);
    this.#forget();
  }

  #forget(): void {
    this.#pool.give(this.#bytes);
    this.#bytes = NO_BYTES;
    this.#used = 0;
    this.held_bytes = 0;
  }

  #widen(head: number): void {
    const size = (this.#mask + 1) * 2;
    const state = new Uint8Array(size);
    const offset = new Int32Array(size);
    const length = new Int32Array(size);
    for (let k = 0; k <= this.#mask; k++) {
      const from = (head + k) & this.#mask;
      const to = (head + k) & (size - 1);
      state[to] = this.#state[from] ?? NOTHING;
      offset[to] = this.#offset[from] ?? 0;
      length[to] = this.#length[from] ?? 0;
    }
    this.#mask = size - 1;
    this.#state = state;
    this.#offset = offset;
    this.#length = length;
  }
}
