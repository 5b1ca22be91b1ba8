/**
 * Which server a 32-bit hash belongs to. A continuum is built from the live servers alone, so ejecting one means
 * building another.
 */
import type { DistributionName } from '../../config/nutcracker-types.js';
import { md5Words } from './md5.js';

export interface RingServer {
  readonly name: string;
  /** A whole number of at least 1. */
  readonly weight: number;
}

/** Gives the index (into the whole list of servers) for a hash. */
export interface Continuum {
  pick(hash: number): number;
}

const POINTS_PER_SERVER = 160;
const POINTS_PER_DIGEST = 4;

/**
 * How many digests a server contributes. The share is computed in 32-bit floats, as nutcracker does: rounding decides
 * over a whole digest now and then.
 */
export function ketamaDigests(weight: number, totalWeight: number, live: number): number {
  const share = Math.fround(Math.fround(weight) / Math.fround(totalWeight));
  const points = Math.fround(Math.fround(share * POINTS_PER_SERVER) / POINTS_PER_DIGEST);
  return Math.floor(Math.fround(Math.fround(points * live) + 0.0000000001));
}

/** Ring points in ascending order, and the server of each. */
export interface KetamaPoints {
  readonly values: Uint32Array;
  readonly servers: Uint16Array;
}

/** The points of ketama: the four words of md5("name-0"), md5("name-1"), … for each live server. */
export function ketamaPoints(servers: readonly RingServer[], live: readonly number[]): KetamaPoints {
  const total = live.reduce((sum, index) => sum + (servers[index]?.weight ?? 0), 0);
  const encoder = new TextEncoder();
  const points: { value: number; server: number }[] = [];
  for (const index of live) {
    const server = servers[index];
    if (server === undefined) continue;
    const digests = ketamaDigests(server.weight, total, live.length);
    for (let i = 0; i < digests; i++) {
      const bytes = encoder.encode(`${server.name}-${i}`);
      for (const value of md5Words(bytes, 0, bytes.length)) points.push({ value, server: index });
    }
  }
  points.sort((a, b) => a.value - b.value);
  return {
    values: Uint32Array.from(points, (p) => p.value),
    servers: Uint16Array.from(points, (p) => p.server),
  };
}

const PREFIX_BITS = 12;
const PREFIX_SHIFT = 32 - PREFIX_BITS;

/**
 * Looks points up by the hash's upper 12 bits and a short scan: on a ring of a few hundred points that is one or two
 * comparisons, where a binary search takes eight mispredicted ones.
 */
class Ketama implements Continuum {
  readonly #values: Uint32Array;
  readonly #servers: Uint16Array;
  readonly #first: Uint32Array;

  constructor(points: KetamaPoints) {
    this.#values = points.values;
    // One more entry than points: beyond the last, the ring begins again.
    this.#servers = new Uint16Array(points.values.length + 1);
    this.#servers.set(points.servers);
    this.#servers[points.values.length] = points.servers[0] ?? 0;
    this.#first = new Uint32Array(1 << PREFIX_BITS);
    let at = 0;
    for (let prefix = 0; prefix < 1 << PREFIX_BITS; prefix++) {
      while (at < this.#values.length && (this.#values[at] ?? 0) < prefix * 2 ** PREFIX_SHIFT) at++;
      this.#first[prefix] = at;
    }
  }

  pick(hash: number): number {
    const values = this.#values;
    let at = this.#first[hash >>> PREFIX_SHIFT] ?? 0;
    while (at < values.length && (values[at] ?? 0) < hash) at++;
    return this.#servers[at] ?? 0;
  }
}

/** nutcracker keeps its servers ordered by the length of their name, then by its bytes; modula counts in that order. */
export function inNameOrder(servers: readonly RingServer[], live: readonly number[]): number[] {
  const encoder = new TextEncoder();
  const names = servers.map((server) => encoder.encode(server.name));
  return [...live].sort((a, b) => compareNames(names[a] ?? NO_NAME, names[b] ?? NO_NAME));
}

const NO_NAME = new Uint8Array(0);

function compareNames(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length;
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

class Modula implements Continuum {
  readonly #slots: Uint16Array;

  constructor(servers: readonly RingServer[], live: readonly number[]) {
    const order = inNameOrder(servers, live);
    this.#slots = Uint16Array.from(order.flatMap((i) => new Array<number>(servers[i]?.weight ?? 0).fill(i)));
  }

  pick(hash: number): number {
    return this.#slots[hash % this.#slots.length] ?? 0;
  }
}

class Random implements Continuum {
  readonly #live: readonly number[];
  readonly #below: (limit: number) => number;

  constructor(live: readonly number[], below: (limit: number) => number) {
    this.#live = live;
    this.#below = below;
  }

  pick(): number {
    return this.#live[this.#below(this.#live.length)] ?? 0;
  }
}

/**
 * @param live indexes of the servers to use, ascending, not empty.
 * @param below draws an integer in [0, limit); for `random` only.
 */
export function buildContinuum(
  distribution: DistributionName,
  servers: readonly RingServer[],
  live: readonly number[],
  below: (limit: number) => number,
): Continuum {
  switch (distribution) {
    case 'ketama':
      return new Ketama(ketamaPoints(servers, live));
    case 'modula':
      return new Modula(servers, live);
    case 'random':
      return new Random(live, below);
  }
}
