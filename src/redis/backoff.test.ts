import { describe, expect, it } from 'vitest';
import { Backoff } from './backoff.js';

const options = { base_ms: 10, max_ms: 50, attempts_max: Number.POSITIVE_INFINITY };
const take = (backoff: Backoff, count: number): (number | null)[] =>
  Array.from({ length: count }, () => backoff.next());

describe('Backoff', () => {
  it('doubles up to its limit, each wait in the upper half of its range', () => {
    expect(take(new Backoff(options, () => 0), 5)).toEqual([5, 10, 20, 25, 25]);
    expect(take(new Backoff(options, () => 0.5), 3)).toEqual([7.5, 15, 30]);
    expect(take(new Backoff(options, () => 0), 2000).at(-1)).toBe(25);
  });

  it('gives up after so many failures, and begins again after a success', () => {
    const backoff = new Backoff({ ...options, attempts_max: 3 }, () => 0);
    expect(take(backoff, 3)).toEqual([5, 10, null]);
    backoff.reset();
    expect(backoff.next()).toBe(5);
  });
});
