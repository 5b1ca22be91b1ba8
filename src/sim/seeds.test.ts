import { describe, expect, it } from 'vitest';
import { describeRun, runBatch } from './batch.js';
import { runSeed } from './run.js';

/** Runs in one test; `npm run sim` runs as many as one has time for. */
const RUNS = 300;
const RUNS_PER_TEST = 100;
const FIRST_SEED = 1;

describe('the simulator', () => {
  for (let from = FIRST_SEED; from < FIRST_SEED + RUNS; from += RUNS_PER_TEST) {
    it(`finds nothing wrong in seeds ${from} to ${from + RUNS_PER_TEST - 1}`, { timeout: 300_000 }, () => {
      const { failures, runs, promotions } = runBatch(from, RUNS_PER_TEST, true);
      const [first] = failures;
      expect(first === undefined ? '' : describeRun(runSeed(first.seed, true), false)).toBe('');
      expect(runs).toBe(RUNS_PER_TEST);
      // Runs in which nothing is ever promoted would prove nothing.
      expect(promotions).toBeGreaterThan(RUNS_PER_TEST / 2);
    });
  }

  it('replays a seed to the letter', () => {
    for (const seed of [3, 7, 148, 998]) {
      const once = runSeed(seed, true);
      expect(once.transcript.length).toBeGreaterThan(20);
      expect(runSeed(seed, true)).toEqual(once);
      // Recording changes nothing but the record.
      expect(runSeed(seed, false)).toEqual({ ...once, transcript: [] });
    }
  });

  it('gives other seeds other runs', () => {
    const texts = [1, 2, 3].map((seed) => describeRun(runSeed(seed, true), true));
    expect(new Set(texts).size).toBe(3);
  });
});
