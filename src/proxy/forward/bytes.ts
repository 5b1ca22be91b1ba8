/** Buffers that are used again and again, and the copies between them. */

/** No bytes; never written to. */
export const NO_BYTES = Buffer.alloc(0);

const SMALLEST_BYTES = 4 * 1024;
const LARGEST_POOLED_BYTES = 4 * 1024 * 1024;
/** How much each size may keep on its free list. */
const KEPT_BYTES = 8 * 1024 * 1024;

/** Below this, a loop beats the call (and, on Node 20, the view) that a block copy needs. */
const BY_HAND_BYTES = 48;

/** `Buffer.copy` became the faster of the two in Node 22, where it no longer goes through a view. */
const COPY_IS_NATIVE = Number(process.versions.node.split('.')[0]) >= 22;

/** Copies bytes [start, end) of one buffer to `at` in another. */
export function copyBytes(from: Buffer, start: number, end: number, to: Buffer, at: number): void {
  if (end - start < BY_HAND_BYTES) {
    for (let i = start, j = at; i < end; i++, j++) to[j] = from[i] as number;
  } else if (COPY_IS_NATIVE) {
    from.copy(to, at, start, end);
  } else {
    // A plain view costs less than the Buffer that subarray would make.
    to.set(new Uint8Array(from.buffer, from.byteOffset + start, end - start), at);
  }
}

/** Hands out buffers in power-of-two sizes and takes them back; each size keeps a bounded number. */
export class BufferPool {
  readonly #free: Buffer[][] = [];

  /** A buffer of at least so many bytes, with whatever content. */
  take(size_bytes: number): Buffer {
    if (size_bytes > LARGEST_POOLED_BYTES) return Buffer.allocUnsafeSlow(roundUp(size_bytes));
    const kind = kindOf(size_bytes);
    return this.#free[kind]?.pop() ?? Buffer.allocUnsafeSlow(SMALLEST_BYTES << kind);
  }

  /** Takes a buffer back; its holder must not touch it again. */
  give(buffer: Buffer): void {
    const size_bytes = buffer.length;
    if (size_bytes < SMALLEST_BYTES || size_bytes > LARGEST_POOLED_BYTES) return;
    const kind = kindOf(size_bytes);
    this.#free[kind] ??= [];
    const list = this.#free[kind];
    if (list.length * size_bytes < KEPT_BYTES) list.push(buffer);
  }

  /** Gives a larger buffer with the first `used` bytes of this one, which goes back to the pool. */
  grow(buffer: Buffer, used_bytes: number, size_bytes: number): Buffer {
    const larger = this.take(Math.max(size_bytes, buffer.length * 2));
    copyBytes(buffer, 0, used_bytes, larger, 0);
    this.give(buffer);
    return larger;
  }
}

function kindOf(size_bytes: number): number {
  return size_bytes <= SMALLEST_BYTES ? 0 : 32 - Math.clz32((size_bytes - 1) >>> 12);
}

/** Above the pooled sizes: in steps of the largest. */
function roundUp(size_bytes: number): number {
  return Math.ceil(size_bytes / LARGEST_POOLED_BYTES) * LARGEST_POOLED_BYTES;
}
