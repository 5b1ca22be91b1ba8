/**
 * MD5 (RFC 1321) of short byte strings, for ring points and for the `md5` key hash. Not for secrets. Written out here,
 * since the ring must give the same answer wherever it runs.
 */

const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 0x1_0000_0000) | 0);

/** The index of the message word that step `i` reads (RFC 1321, section 3.4). */
function wordOf(i: number): number {
  switch (i >> 4) {
    case 0:
      return i;
    case 1:
      return (5 * i + 1) & 15;
    case 2:
      return (3 * i + 5) & 15;
    default:
      return (7 * i) & 15;
  }
}

function mix(i: number, b: number, c: number, d: number): number {
  switch (i >> 4) {
    case 0:
      return (b & c) | (~b & d);
    case 1:
      return (d & b) | (~d & c);
    case 2:
      return b ^ c ^ d;
    default:
      return c ^ (b | ~d);
  }
}

/** Message words of bytes [start, end) with padding and bit length appended (RFC 1321, sections 3.1 and 3.2). */
function padded(bytes: Uint8Array, start: number, end: number): Int32Array {
  const length = end - start;
  const words = new Int32Array(((length + 8) >> 6) * 16 + 16);
  for (let i = 0; i < length; i++) {
    words[i >> 2] = (words[i >> 2] ?? 0) | ((bytes[start + i] ?? 0) << ((i & 3) * 8));
  }
  words[length >> 2] = (words[length >> 2] ?? 0) | (0x80 << ((length & 3) * 8));
  words[words.length - 2] = length << 3;
  words[words.length - 1] = length >>> 29;
  return words;
}

/** The digest of bytes [start, end) as four little-endian 32-bit words, unsigned. */
export function md5Words(bytes: Uint8Array, start: number, end: number): [number, number, number, number] {
  const words = padded(bytes, start, end);
  let a0 = 0x67452301;
  let b0 = 0xefcdab89 | 0;
  let c0 = 0x98badcfe | 0;
  let d0 = 0x10325476;
  for (let block = 0; block < words.length; block += 16) {
    let a = a0;
    let b = b0;
    let c = c0;
    let d = d0;
    for (let i = 0; i < 64; i++) {
      const sum = (a + mix(i, b, c, d) + (SINES[i] ?? 0) + (words[block + wordOf(i)] ?? 0)) | 0;
      const shift = SHIFTS[((i >> 4) << 2) | (i & 3)] ?? 0;
      a = d;
      d = c;
      c = b;
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
    }
    a0 = (a0 + a) | 0;
    b0 = (b0 + b) | 0;
    c0 = (c0 + c) | 0;
    d0 = (d0 + d) | 0;
  }
  return [a0 >>> 0, b0 >>> 0, c0 >>> 0, d0 >>> 0];
}
