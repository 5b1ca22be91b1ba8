/** What a client has sent that could not be taken yet: half a request, or what comes while it is halted. */
import { type BufferPool, copyBytes, NO_BYTES } from './bytes.js';

/** Room made at once for a request that is known to be long. */
const FORESEEN_MAX_BYTES = 1024 * 1024;

export class KeptInput {
  /** What is kept lies at [start, end) of this; it stays valid until the next call. */
  bytes: Buffer = NO_BYTES;
  start = 0;
  end = 0;
  readonly #pool: BufferPool;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  get size_bytes(): number {
    return this.end - this.start;
  }

  /** Adds a copy of bytes [start, end). @param need_bytes how long it will become at least. */
  add(bytes: Buffer, start: number, end: number, need_bytes: number): void {
    const size = end - start;
    if (this.end + size > this.bytes.length) this.#makeRoom(size, need_bytes);
    copyBytes(bytes, start, end, this.bytes, this.end);
    this.end += size;
  }

  /** Forgets what lies before this place. */
  takenTo(at: number): void {
    this.start = at;
    if (at >= this.end) this.clear();
  }

  /** Gives its memory back. */
  clear(): void {
    this.#pool.give(this.bytes);
    this.bytes = NO_BYTES;
    this.start = 0;
    this.end = 0;
  }

  #makeRoom(size: number, need_bytes: number): void {
    const kept = this.size_bytes;
    if (this.bytes.length > 0 && this.start >= kept && kept + size <= this.bytes.length) {
      this.bytes.copy(this.bytes, 0, this.start, this.end);
    } else {
      const larger = this.#pool.take(Math.max(kept + size, Math.min(need_bytes, FORESEEN_MAX_BYTES)));
      copyBytes(this.bytes, this.start, this.end, larger, 0);
      this.#pool.give(this.bytes);
      this.bytes = larger;
    }
    this.start = 0;
    this.end = kept;
  }
}
