import { describe, expect, it } from 'vitest';
import { Alone, type AloneSettings, othersNeeded } from './alone.pure.js';
import type { Route } from './routes.js';

const SELF = '10.0.0.1';
const settings = (others: number, more: Partial<AloneSettings> = {}): AloneSettings => ({
  self: SELF,
  sentinels: Array.from({ length: others }, (_, i) => ({ host: `10.0.0.${i + 2}`, port: 26379 })),
  login: null,
  tls: null,
  leaseTtl_ms: 1_000,
  groups: ['g'],
  ...more,
});
const at = (host: string, epoch: number, group = 'g'): Route => ({ group, host, port: 6379, epoch });

describe('how many others are needed', () => {
  it.each([
    [0, 0],
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
    [6, 3],
  ])('of %i, %i', (others, needed) => {
    expect(othersNeeded(others)).toBe(needed);
  });

  it('is so many that every majority of the others has one of them', () => {
    for (let others = 0; others < 10; others++) {
      const majority = Math.floor((others + 1) / 2) + 1;
      // Those that were not heard are too few to elect anybody; with one more unheard, they could.
      expect(others - othersNeeded(others)).toBeLessThan(majority);
      if (othersNeeded(others) > 0) expect(others - othersNeeded(others) + 1).toBeGreaterThanOrEqual(majority);
    }
  });
});

describe('a proxy alone', () => {
  it('goes on for a lease by what the agent has left, and then only by what it hears', () => {
    const alone = new Alone(settings(2), 10_000);
    const known = at('10.0.0.2', 4);
    expect(alone.objection('g', known, 11_000)).toBeNull();
    expect(alone.objection('g', known, 11_001)).toBe(
      'the agent is away, and 0 of 1 other Sentinels needed say who leads',
    );
    expect(alone.heard(1, at('10.0.0.2', 4), known, 11_100)).toBeNull();
    expect(alone.objection('g', known, 12_100)).toBeNull();
    expect(alone.objection('g', known, 12_101)).not.toBeNull();
  });

  it('follows a newer record at once, and an older one never', () => {
    const alone = new Alone(settings(2), 0);
    const known = at(SELF, 4);
    expect(alone.heard(0, at('10.0.0.3', 5), known, 1_500)).toEqual(at('10.0.0.3', 5));
    expect(alone.heard(1, at('10.0.0.2', 3), known, 1_500)).toBeNull();
  });

  it('is not misled by a new epoch that is told with the old master, in the moments of a promotion', () => {
    const alone = new Alone(settings(2), 0);
    const known = at('10.0.0.2', 4);
    expect(alone.heard(0, at('10.0.0.2', 5), known, 1_500)).toBeNull();
    const now = alone.heard(1, at('10.0.0.3', 5), known, 1_600);
    expect(now).toEqual(at('10.0.0.3', 5));
    expect(alone.heard(0, at('10.0.0.2', 5), now, 1_650)).toBeNull();
  });

  it('takes no word of a Sentinel that lags behind for one that nothing is newer', () => {
    const alone = new Alone(settings(2), 0);
    alone.heard(0, at('10.0.0.2', 3), at('10.0.0.2', 4), 1_900);
    expect(alone.objection('g', at('10.0.0.2', 4), 2_000)).not.toBeNull();
  });

  it('hears each group by itself', () => {
    const alone = new Alone(settings(2), 0);
    alone.heard(0, at('10.0.0.2', 1, 'other'), null, 1_900);
    expect(alone.objection('other', at('10.0.0.2', 1, 'other'), 2_000)).toBeNull();
    expect(alone.objection('g', at('10.0.0.2', 1), 2_000)).not.toBeNull();
  });

  it('leaves a master beside it alone while others may elect another', () => {
    const alone = new Alone(settings(2), 0);
    const lost = 'the agent of its host is away, and with it the lease of the master';
    alone.heard(0, at(SELF, 1), null, 2_900);
    expect(alone.objection('g', at(SELF, 1), 650)).toBeNull();
    expect(alone.objection('g', at(SELF, 1), 651)).toBe(lost);
    expect(alone.objection('g', at(SELF, 1), 3_000)).toBe(lost);
    expect(alone.objection('g', at(SELF, 1), 3_001)).toBeNull();
    expect(alone.objection('g', at('10.0.0.2', 1), 651)).toBeNull();
    expect(alone.leaseEnd_ms).toBe(650);
  });

  it.each([0, 1])('leaves the master beside it to its clients where %i others cannot elect another', (others) => {
    const alone = new Alone(settings(others), 0);
    expect(alone.objection('g', at(SELF, 1), 100_000)).toBeNull();
  });

  it('needs to hear nobody where there are no leases, as in a pair', () => {
    const alone = new Alone(settings(1, { leaseTtl_ms: null }), 0);
    expect(alone.objection('g', at(SELF, 1), 100_000)).toBeNull();
    expect(alone.heard(0, at('10.0.0.2', 2), at(SELF, 1), 100_000)).toEqual(at('10.0.0.2', 2));
  });

  it('says for how long requests are to wait', () => {
    const alone = new Alone(settings(2), 0);
    expect(alone.hold('g', at(SELF, 1), 500)).toBeNull();
    expect(alone.hold('g', at(SELF, 1), 5_000)).toMatchObject({ group: 'g', for_ms: 450 });
  });
});
