import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Prng } from '../../base/prng.js';
import { DISTRIBUTION_NAMES, HASH_NAMES } from '../../config/nutcracker-types.js';
import { ketamaDigests, type RingServer } from './continuum.js';
import { keyHash } from './hash.js';
import { md5Words } from './md5.js';
import { Ring } from './ring.js';

const below = (limit: number): number => new Prng(7).below(limit);

/** The ring once more, by the definition and without a thought for speed: walk all points, take the nearest above. */
function naivePick(servers: readonly RingServer[], live: readonly number[], hash: number): number {
  const total = live.reduce((sum, i) => sum + (servers[i]?.weight ?? 0), 0);
  let best = { value: Number.POSITIVE_INFINITY, server: -1 };
  let lowest = { value: Number.POSITIVE_INFINITY, server: -1 };
  for (const index of live) {
    const server = servers[index];
    if (server === undefined) continue;
    for (let i = 0; i < ketamaDigests(server.weight, total, live.length); i++) {
      const digest = createHash('md5').update(`${server.name}-${i}`).digest();
      for (const at of [0, 4, 8, 12]) {
        const value = digest.readUInt32LE(at);
        if (value < lowest.value) lowest = { value, server: index };
        if (value >= hash && value < best.value) best = { value, server: index };
      }
    }
  }
  return best.server === -1 ? lowest.server : best.server;
}

function naiveTag(key: string, tag: string | null): string {
  if (tag === null) return key;
  const open = key.indexOf(tag.charAt(0));
  const close = key.indexOf(tag.charAt(1), open + 1);
  return open >= 0 && close > open + 1 ? key.slice(open + 1, close) : key;
}

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 30 }), { minLength: 2, maxLength: 12 });
const servers = names.chain((list) =>
  fc.tuple(...list.map((name) => fc.integer({ min: 1, max: 100 }).map((weight) => ({ name, weight })))),
);

describe('md5', () => {
  it('equals the platform’s for every length around the block borders', () => {
    for (let length = 0; length < 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff);
      const digest = createHash('md5').update(bytes).digest();
      expect([...md5Words(bytes, 0, length)]).toEqual([0, 4, 8, 12].map((at) => digest.readUInt32LE(at)));
    }
  });
});

describe('hashes', () => {
  it.each(HASH_NAMES)('%s looks at its own range of the buffer only', (name) => {
    const hash = keyHash(name);
    const property = fc.property(fc.uint8Array(), fc.uint8Array(), fc.uint8Array(), (before, key, after) => {
      const joined = Uint8Array.from([...before, ...key, ...after]);
      const value = hash(joined, before.length, before.length + key.length);
      expect(value).toBe(hash(key, 0, key.length));
      expect(value).toBe(value >>> 0);
    });
    fc.assert(property, { seed: 1 });
  });
});

describe('ring', () => {
  it('gives ketama by its definition, with servers ejected', () => {
    const property = fc.property(
      servers,
      fc.array(fc.nat()),
      fc.array(fc.string(), { minLength: 1 }),
      (list, dead, keys) => {
        const ring = new Ring({ hash: 'md5', distribution: 'ketama', hashTag: '{}', servers: list, below });
        for (const index of dead) ring.setLive(index % list.length, false);
        const alive = [...list.keys()].filter((index) => ring.isLive(index));
        for (const key of keys) {
          const bytes = Buffer.from(key);
          const hashed = Buffer.from(naiveTag(key, '{}'));
          const hash = hashed.length === 0 ? 0 : createHash('md5').update(hashed).digest().readUInt32LE(0);
          const usable = alive.length === 0 ? [...list.keys()] : alive;
          expect(ring.pick(bytes, 0, bytes.length)).toBe(naivePick(list, usable, hash));
        }
      },
    );
    fc.assert(property, { seed: 2, numRuns: 40 });
  });

  it('moves only the keys of an ejected server, and all of them back', () => {
    const list = ['a', 'b', 'c', 'd'].map((name) => ({ name, weight: 1 }));
    const ring = new Ring({ hash: 'fnv1a_64', distribution: 'ketama', hashTag: null, servers: list, below });
    const keys = Array.from({ length: 500 }, (_, i) => Buffer.from(`key:${i}`));
    const place = () => keys.map((key) => ring.pick(key, 0, key.length));
    const before = place();
    ring.setLive(2, false);
    const during = place();
    ring.setLive(2, true);
    expect(place()).toEqual(before);
    expect(during).not.toContain(2);
    before.forEach((server, i) => {
      if (server !== 2) expect(during[i]).toBe(server);
    });
  });

  it('spreads random over the live servers', () => {
    const prng = new Prng(3);
    const list = ['a', 'b', 'c'].map((name) => ({ name, weight: 1 }));
    const options = { hash: 'md5', distribution: 'random', hashTag: null, servers: list } as const;
    const ring = new Ring({ ...options, below: (limit) => prng.below(limit) });
    ring.setLive(1, false);
    const key = Buffer.from('same');
    const counts = [0, 0, 0];
    for (let i = 0; i < 1000; i++) {
      const server = ring.pick(key, 0, key.length);
      counts[server] = (counts[server] ?? 0) + 1;
    }
    expect(counts[1]).toBe(0);
    expect(Math.abs((counts[0] ?? 0) - (counts[2] ?? 0))).toBeLessThan(150);
  });

  it('always answers with a server of the list', () => {
    for (const hash of HASH_NAMES) {
      for (const distribution of DISTRIBUTION_NAMES) {
        const property = fc.property(servers, fc.uint8Array({ maxLength: 40 }), (list, key) => {
          const ring = new Ring({ hash, distribution, hashTag: null, servers: list, below });
          const server = ring.pick(key, 0, key.length);
          expect(server).toBeGreaterThanOrEqual(0);
          expect(server).toBeLessThan(list.length);
        });
        fc.assert(property, { seed: 4, numRuns: 8 });
      }
    }
  });
});
