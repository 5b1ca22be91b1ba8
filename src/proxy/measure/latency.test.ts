import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BUCKETS, countOf, LatencyTable, percentile_us } from './latency.js';

it('counts each request in the bucket of its time', () => {
  const table = new LatencyTable(['other', 'get', 'set']);
  for (const ms of [0, 0.0005, 0.001, 0.003, 0.004, 1, 1e9]) table.note(1, ms);
  const [get, ...rest] = table.used();
  expect(rest).toEqual([]);
  const counts = new Array<number>(BUCKETS).fill(0);
  // Below 1 us twice, 1 us, 2 to 3, 4 to 7, 512 to 1023 (1 ms is 1000 us), and as long as there is.
  Object.assign(counts, { 0: 2, 1: 1, 2: 1, 3: 1, 10: 1, 31: 1 });
  expect(get).toMatchObject({ name: 'get', counts, sum_us: 1 + 3 + 4 + 1000 + 2 ** 31 - 1 });
});

it('finds percentiles within the bucket of the exact ones', () => {
  const times = fc.array(fc.integer({ min: 1, max: 10_000_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(times, fc.constantFrom(0.01, 0.5, 0.99, 0.999, 1), (times_us, share) => {
      const table = new LatencyTable(['get']);
      // Half a microsecond more, so that no rounding takes one away.
      for (const us of times_us) table.note(0, (us + 0.5) / 1000);
      const sorted = [...times_us].sort((a, b) => a - b);
      const exact = sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? 0;
      const [get] = table.used();
      if (get === undefined) throw new Error('no request was counted');
      expect(countOf(get)).toBe(times_us.length);
      const found = percentile_us(get, share);
      expect(found).toBeGreaterThan(exact / 2 - 1);
      expect(found).toBeLessThanOrEqual(exact * 2);
    }),
  );
});

it('knows no percentile without requests', () => {
  expect(percentile_us({ name: 'get', sum_us: 0, counts: [] }, 0.5)).toBe(0);
});
