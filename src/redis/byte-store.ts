const NOTHING = Buffer.alloc(0);
const FIRST_BYTES = 64;

/**
 * The bytes of one line or payload that arrives in pieces. It grows by doubling, so many small pieces cost no more than
 * a few large ones, and never beyond twice what has really arrived: a length that a peer only announces costs nothing.
 * When empty it holds no buffer.
 */
export class ByteStore {
  #bytes: Buffer = NOTHING;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The first byte, if there is one. */
  get first(): number | undefined {
    return this.#length === 0 ? undefined : this.#bytes[0];
  }

  /**
   * Copies `from[start, end)` to the end.
   * @param ceiling the most bytes that this store will be asked to hold; a full store is then exactly that large.
   */
  append(from: Buffer, start: number, end: number, ceiling: number): void {
    const needed = this.#length + end - start;
    if (needed > this.#bytes.length) {
      const capacity = Math.min(ceiling, Math.max(FIRST_BYTES, needed, this.#bytes.length * 2));
      const larger = Buffer.allocUnsafeSlow(Math.max(capacity, needed));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    from.copy(this.#bytes, this.#length, start, end);
    this.#length = needed;
  }

  /** Hands the bytes over without a copy and forgets them. */
  take(): Buffer {
    const bytes = this.#length === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.#length);
    this.clear();
    return bytes;
  }

  /** Forgets the bytes and their buffer. */
  clear(): void {
    this.#bytes = NOTHING;
    this.#length = 0;
  }
}
