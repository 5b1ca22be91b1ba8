import { describe, expect, it } from 'vitest';
import { overlap } from './overlaps.mjs';

/** Probes every 5 ms that take 1 ms. */
const probes = (from: number, to: number) =>
  Array.from({ length: (to - from) / 5 }, (_, i) => ({ sent: from + i * 5, received: from + i * 5 + 1 }));

describe('overlap', () => {
  it('finds nothing when one takes over from the other', () => {
    expect(overlap([probes(0, 100), probes(100, 200)])).toEqual({ samples: 0, from: null, to: null });
    expect(overlap([probes(0, 100), probes(98, 200)]).samples).toBe(0);
  });

  it('counts the probes of one that lie between two of the other', () => {
    const found = overlap([probes(0, 100), probes(52, 202)]);
    expect(found).toEqual({ samples: 9, from: 53, to: 93 });
    expect(overlap([probes(52, 202), probes(0, 100)]).samples).toBe(9);
  });

  it('proves nothing about a long time without a success', () => {
    expect(overlap([[...probes(0, 50), ...probes(500, 550)], probes(102, 202)]).samples).toBe(0);
  });

  it('does not count a probe that only touches', () => {
    expect(
      overlap([
        [
          { sent: 0, received: 10 },
          { sent: 12, received: 22 },
        ],
        [{ sent: 9, received: 15 }],
      ]).samples,
    ).toBe(0);
  });

  it('takes every two of three', () => {
    expect(overlap([probes(0, 50), probes(2, 52), probes(202, 252)]).samples).toBeGreaterThan(0);
    expect(overlap([probes(0, 50)]).samples).toBe(0);
    expect(overlap([]).samples).toBe(0);
  });
});
