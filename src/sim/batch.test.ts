import { describe, expect, it } from 'vitest';
import { add, describeRun, describeSummary, NO_RUNS, runBatch, summaryOf } from './batch.js';
import { runSeed } from './run.js';

describe('a batch', () => {
  it('adds up what its runs came to', () => {
    const together = runBatch(11, 3, false);
    const apart = [11, 12, 13].map((seed) => summaryOf(runSeed(seed, false))).reduce(add, NO_RUNS);
    expect(together).toEqual(apart);
    expect(together.runs).toBe(3);
    expect(describeSummary(together)).toMatch(/^3 runs, 0 failed; /);
  });

  it('names a failing seed with its property, in the summary and under its transcript', () => {
    const passed = runSeed(11, true);
    const failed = { ...passed, violation: { property: 'one leader', what: 's1 and s2 lead', at: 5 } };
    expect(describeRun(failed, false)).toMatch(/\nseed 11 FAILED: one leader: s1 and s2 lead$/);
    expect(describeRun(passed, false)).toMatch(/\nseed 11 passed: /);
    expect(describeRun(passed, true).length).toBeGreaterThan(describeRun(passed, false).length);
    expect(describeSummary(summaryOf(failed))).toContain('one leader: 1 (seeds 11)');
  });
});
