/** Buffers that are used again and again, and the copies between them. */

/** No bytes; never written to. */
export const NO_BYTES = Buffer.alloc(0);

const SMALLEST_BYTES = 4 * 1024;
const LARGEST_POOLED_BYTES = 4 * 1024 * 1024;
/** How much each size may keep on its free list. */
const KEPT_BYTES = 8 * 1024 * 1024;

/** Below this, a loop beats the call (and, on Node 20, the view) that a block copy needs: byte by byte, and by words. */
const BY_BYTES_BYTES = 48;
const BY_WORDS_BYTES = 160;

/** Where a buffer that is used again and again keeps a view of itself, for copies by words. */
const WORDS = Symbol('words');

/** And its beginning as it was last written out: the next output is often as long. */
const HEAD = Symbol('head');

interface WithWords {
  [WORDS]?: DataView;
  [HEAD]?: Buffer;
}

/** Makes short copies from and to this buffer cheaper; for those that are used again and again. */
export function withWords(buffer: Buffer): Buffer {
  (buffer as WithWords)[WORDS] = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  (buffer as WithWords)[HEAD] = buffer;
  return buffer;
}

/** The first `size` bytes of a buffer, as a view that is made anew only when it is not as long as the last one. */
export function headOf(buffer: Buffer, size: number): Buffer {
  const last = (buffer as WithWords)[HEAD];
  if (last?.length === size) return last;
  const head = buffer.subarray(0, size);
  (buffer as WithWords)[HEAD] = head;
  return head;
}

/** `Buffer.copy` became the faster of the two in Node 22, where it no longer goes through a view. */
const COPY_IS_NATIVE = Number(process.versions.node.split('.')[0]) >= 22;

/** Copies bytes [start, end) of one buffer to `at` in another. */
export function copyBytes(from: Buffer, start: number, end: number, to: Buffer, at: number): void {
  const size = end - start;
  if (size < BY_WORDS_BYTES) {
    const source = (from as WithWords)[WORDS];
    const target = (to as WithWords)[WORDS];
    if (source !== undefined && target !== undefined) {
      copyWords(source, start, end, target, at);
      return;
    }
  }
  if (size < BY_BYTES_BYTES) {
    for (let i = start, j = at; i < end; i++, j++) to[j] = from[i] as number;
  } else if (COPY_IS_NATIVE) {
    from.copy(to, at, start, end);
  } else {
    // A plain view costs less than the Buffer that subarray would make.
    to.set(new Uint8Array(from.buffer, from.byteOffset + start, size), at);
  }
}

/**
 * Sixteen bytes at a time, then four; what is left goes with the last four, of which some are then copied twice. (Eight at
 * a time would be integers that are allocated.)
 */
function copyWords(from: DataView, start: number, end: number, to: DataView, at: number): void {
  let i = start;
  let j = at;
  for (const last = end - 16; i <= last; i += 16, j += 16) {
    to.setInt32(j, from.getInt32(i));
    to.setInt32(j + 4, from.getInt32(i + 4));
    to.setInt32(j + 8, from.getInt32(i + 8));
    to.setInt32(j + 12, from.getInt32(i + 12));
  }
  for (const last = end - 4; i <= last; i += 4, j += 4) to.setInt32(j, from.getInt32(i));
  if (i === end) return;
  if (end - start >= 4) to.setInt32(at + end - start - 4, from.getInt32(end - 4));
  else for (; i < end; i++, j++) to.setUint8(j, from.getUint8(i));
}

/** Hands out buffers in power-of-two sizes and takes them back; each size keeps a bounded number. */
export class BufferPool {
  readonly #free: Buffer[][] = [];

  /** A buffer of at least so many bytes, with whatever content. */
  take(size_bytes: number): Buffer {
    if (size_bytes > LARGEST_POOLED_BYTES) return withWords(Buffer.allocUnsafeSlow(roundUp(size_bytes)));
    const kind = kindOf(size_bytes);
    return this.#free[kind]?.pop() ?? withWords(Buffer.allocUnsafeSlow(SMALLEST_BYTES << kind));
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
