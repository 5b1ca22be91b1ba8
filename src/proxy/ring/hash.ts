/**
 * twemproxy's key hashes: 32 bits from the bytes [start, end) of a key. Each is exact to the bit with nutcracker 0.5.0,
 * including where that differs from the function's own definition; the conformance test writes through the real one.
 */
import type { HashName } from '../../config/nutcracker-types.js';
import { crc16, crc32, crc32a } from './crc.js';
import { jenkins, oneAtATime } from './jenkins.js';
import { md5Words } from './md5.js';

/** A hash of the bytes [start, end), as an unsigned 32-bit integer. */
export type KeyHash = (bytes: Uint8Array, start: number, end: number) => number;

const FNV_32_INIT = 0x811c9dc5 | 0;
const FNV_32_PRIME = 0x01000193;
/** Only the low 32 bits of a 64-bit FNV are used, and they depend on the low 32 bits of its constants alone. */
const FNV_64_INIT_LOW = 0x84222325 | 0;
const FNV_64_PRIME_LOW = 0x000001b3;

/** Keys are signed characters there: a byte from 0x80 on is extended by its sign before it is mixed in. */
function fnv1(init: number, prime: number): KeyHash {
  return (bytes, start, end) => {
    let hash = init;
    for (let i = start; i < end; i++) hash = Math.imul(hash, prime) ^ (((bytes[i] ?? 0) << 24) >> 24);
    return hash >>> 0;
  };
}

/** The default hash of twemproxy: the one that the forwarding path runs for nearly every request. */
function fnv1a64(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_64_INIT_LOW;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (((bytes[i] ?? 0) << 24) >> 24), FNV_64_PRIME_LOW);
  return hash >>> 0;
}

function fnv1a32(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_32_INIT;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (((bytes[i] ?? 0) << 24) >> 24), FNV_32_PRIME);
  return hash >>> 0;
}

function half(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

/** Paul Hsieh's SuperFastHash, started at 0; the last of three odd bytes is signed, a single one is not. */
function hsieh(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  let at = start;
  for (; end - at >= 4; at += 4) {
    hash = (hash + half(bytes, at)) | 0;
    hash = (hash << 16) ^ ((half(bytes, at + 2) << 11) ^ hash);
    hash = (hash + (hash >>> 11)) | 0;
  }
  const last = bytes[end - 1] ?? 0;
  switch (end - at) {
    case 3:
      hash = (hash + half(bytes, at)) | 0;
      hash ^= hash << 16;
      hash ^= ((last << 24) >> 24) << 18;
      hash = (hash + (hash >>> 11)) | 0;
      break;
    case 2:
      hash = (hash + half(bytes, at)) | 0;
      hash ^= hash << 11;
      hash = (hash + (hash >>> 17)) | 0;
      break;
    case 1:
      hash = (hash + last) | 0;
      hash ^= hash << 10;
      hash = (hash + (hash >>> 1)) | 0;
      break;
    default:
      break;
  }
  hash ^= hash << 3;
  hash = (hash + (hash >>> 5)) | 0;
  hash ^= hash << 4;
  hash = (hash + (hash >>> 17)) | 0;
  hash ^= hash << 25;
  hash = (hash + (hash >>> 6)) | 0;
  return hash >>> 0;
}

const MURMUR_M = 0x5bd1e995;

/** MurmurHash2 with a seed that depends on the length, as libmemcached calls it. */
function murmur(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let hash = Math.imul(0xdeadbeef, length) ^ length;
  let at = start;
  for (; end - at >= 4; at += 4) {
    let k = half(bytes, at) | (half(bytes, at + 2) << 16);
    k = Math.imul(k, MURMUR_M);
    k ^= k >>> 24;
    k = Math.imul(k, MURMUR_M);
    hash = Math.imul(hash, MURMUR_M) ^ k;
  }
  const rest = end - at;
  if (rest >= 3) hash ^= (bytes[at + 2] ?? 0) << 16;
  if (rest >= 2) hash ^= (bytes[at + 1] ?? 0) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), MURMUR_M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MURMUR_M);
  hash ^= hash >>> 15;
  return hash >>> 0;
}

/** The hash of a name in a nutcracker.yml. */
export function keyHash(name: HashName): KeyHash {
  switch (name) {
    case 'one_at_a_time':
      return oneAtATime;
    case 'md5':
      return (bytes, start, end) => md5Words(bytes, start, end)[0];
    case 'crc16':
      return crc16;
    case 'crc32':
      return crc32;
    case 'crc32a':
      return crc32a;
    case 'fnv1_64':
      return fnv1(FNV_64_INIT_LOW, FNV_64_PRIME_LOW);
    case 'fnv1a_64':
      return fnv1a64;
    case 'fnv1_32':
      return fnv1(FNV_32_INIT, FNV_32_PRIME);
    case 'fnv1a_32':
      return fnv1a32;
    case 'hsieh':
      return hsieh;
    case 'murmur':
      return murmur;
    case 'jenkins':
      return jenkins;
  }
}
