import { describe, expect, it } from 'vitest';
import { runVrrp } from './run.js';

describe('simulated VRRP groups', () => {
  it('have one master after healing, and no address is ever kept by a loser', () => {
    let elections = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const verdict = runVrrp(seed);
      elections += verdict.elections;
      if (verdict.failure !== null)
        expect.fail(`seed ${seed}: ${verdict.failure}\n${verdict.log.slice(-30).join('\n')}`);
    }
    expect(elections).toBeGreaterThan(600);
  });

  it('replay to the letter from their seed', () => {
    expect(runVrrp(123)).toEqual(runVrrp(123));
  });
});
