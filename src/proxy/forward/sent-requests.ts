/**
 * The bytes of requests that were sent and not answered yet, for a pool that may have to send them again, and
 * for the slow log. The output buffers themselves are kept, so nothing is copied on the way.
 */
import { type BufferPool, NO_BYTES } from './bytes.js';

interface Sent {
  readonly buffer: Buffer;
  /** Of its first byte in the connection's output, counted from the connection's beginning. */
  readonly position: number;
  readonly size: number;
}

export class SentRequests {
  #kept: Sent[] = [];
  #kept_bytes = 0;
  readonly #limit_bytes: number;
  readonly #pool: BufferPool;

  /** @param limit_bytes beyond it the oldest are dropped: they can then not be sent again. */
  constructor(limit_bytes: number, pool: BufferPool) {
    this.#limit_bytes = limit_bytes;
    this.#pool = pool;
  }

  add(buffer: Buffer, position: number, size: number): void {
    this.#kept.push({ buffer, position, size });
    this.#kept_bytes += size;
    // The newest stays, whatever its size: it is about to be written.
    while (this.#kept_bytes > this.#limit_bytes && this.#kept.length > 1) this.#dropFirst();
  }

  /** Everything before this position has been answered. */
  answered(position: number): void {
    for (let first = this.#kept[0]; first !== undefined && first.position + first.size <= position; ) {
      this.#dropFirst();
      first = this.#kept[0];
    }
  }

  /** A copy of the bytes [from, to), or null when they are no longer here. */
  copy(from: number, to: number): Buffer | null {
    const sent = this.#kept.find((each) => from >= each.position && to <= each.position + each.size);
    return sent === undefined ? null : Buffer.from(sent.buffer.subarray(from - sent.position, to - sent.position));
  }

  /** A copy of what is here of the bytes from `from` on, up to a limit. */
  copyHead(from: number, limit_bytes: number): Buffer {
    const sent = this.#kept.find((each) => from >= each.position && from < each.position + each.size);
    if (sent === undefined) return NO_BYTES;
    const start = from - sent.position;
    return Buffer.from(sent.buffer.subarray(start, Math.min(start + limit_bytes, sent.size)));
  }

  clear(): void {
    while (this.#kept.length > 0) this.#dropFirst();
  }

  #dropFirst(): void {
    const first = this.#kept.shift();
    if (first === undefined) return;
    this.#kept_bytes -= first.size;
    this.#pool.give(first.buffer);
  }
}
