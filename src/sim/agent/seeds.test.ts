import { describe, expect, it } from 'vitest';
import { describeRun, runBatch } from '../batch.js';
import { runAgentSeed } from './run.js';

/** Runs in one test; `npm run sim:agent` runs as many as one has time for. */
const RUNS = 200;
const RUNS_PER_TEST = 50;

describe('the simulator of whole agents', () => {
  for (let from = 1; from <= RUNS; from += RUNS_PER_TEST) {
    it(`finds nothing wrong in seeds ${from} to ${from + RUNS_PER_TEST - 1}`, { timeout: 300_000 }, () => {
      const { failures, runs, promotions, acknowledged } = runBatch(from, RUNS_PER_TEST, true, runAgentSeed);
      const [first] = failures;
      expect(first === undefined ? '' : describeRun(runAgentSeed(first.seed, true), false)).toBe('');
      expect(runs).toBe(RUNS_PER_TEST);
      // Runs in which nobody leads and nothing is written would prove nothing.
      expect(promotions).toBeGreaterThan(RUNS_PER_TEST);
      expect(acknowledged).toBeGreaterThan(100 * RUNS_PER_TEST);
    });
  }

  it('replays a seed to the letter', { timeout: 60_000 }, () => {
    for (const seed of [3, 62]) {
      const once = runAgentSeed(seed, true);
      expect(once.transcript.length).toBeGreaterThan(50);
      expect(runAgentSeed(seed, true)).toEqual(once);
      // Recording changes nothing but the record.
      expect(runAgentSeed(seed, false)).toEqual({ ...once, transcript: [] });
    }
  });
});
