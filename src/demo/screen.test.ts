import { expect, it } from 'vitest';
import { FAULTS, type FaultKey, type Outcome } from './faults.js';
import { draw, type Picture, paint, summary } from './screen.js';

const PLAIN = paint(false);

function outcome(more: Partial<Outcome> = {}): Outcome {
  return {
    key: 's',
    from: 'a',
    to: 'b',
    pause_ms: 9_999,
    errors: 12_345,
    read: 1_234_567,
    lost: 99_999,
    trouble: null,
    ...more,
  };
}

function picture(outcomes: readonly Outcome[], busy: FaultKey | null = 's'): Picture {
  const member = '  a       127.0.0.1:25960  replica  unreachable      5   41 B       -  -';
  return {
    beside: ['redis-cli -p 23426   logs: /tmp/tanist-demo-jSkGrN/{a,b,c}.log', 'bin/tanist status -f tanist.yml'],
    status: [
      'Cluster tanist (quorum), told by a',
      '',
      'Member',
      ...[1, 2, 3].flatMap(() => [member, '      why']),
      '',
      'Voters',
    ],
    writer: {
      target: '127.0.0.1:31999',
      acknowledged: 1_234_567,
      failed: 12_345,
      lost: 99_999,
      pauseNow_ms: 9_999,
      longestPause_ms: 99_999,
    },
    outcomes,
    busy,
  };
}

it('fits a terminal of 80 columns and 24 rows, however long it runs, with the keys in sight', () => {
  const every = (Object.keys(FAULTS) as FaultKey[]).flatMap((key) => [outcome({ key }), outcome({ key, to: 'a' })]);
  const lines = draw(picture(every), PLAIN, 24);
  expect(lines).toHaveLength(24);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines.at(-3)).toBe('  s  planned switchover ...');
  expect(lines.at(-2)).toBe('  k kill Redis    z freeze Redis  e empty Redis   s switch over   q quit');
  expect(lines.at(-1)).toBe('  a kill agent    f freeze agent  h kill host     r revive');
});

it('names every key', () => {
  const keys = draw(picture([], null), PLAIN).slice(-2).join(' ');
  for (const key of [...Object.keys(FAULTS), 'q']) expect(keys).toMatch(new RegExp(`(^| )${key} `));
});

it('has room for the whole status on a larger terminal', () => {
  expect(draw(picture([]), PLAIN, 24).join()).not.toContain('told by');
  expect(draw(picture([]), PLAIN, 40).join()).toContain('told by');
});

it('marks what is lost or in trouble, and gives plain text where colour is off', () => {
  const colours = paint(true);
  const bad = (line: string | undefined) => line?.includes('\u001b[31m');
  const shown = [outcome({ lost: 0 }), outcome(), outcome({ lost: 0, trouble: 'no replica is up' })];
  const lines = draw(picture(shown), colours, 30).filter((line) => line.includes('planned switchover  '));
  expect(lines.map(bad)).toEqual([false, true, true]);
  expect(draw(picture(shown), PLAIN).join('')).not.toContain('\u001b');
});

it('sums a fault up in a line', () => {
  expect(summary(outcome({ pause_ms: 29, errors: 1, lost: 0, read: 2_261 }))).toBe(
    's  planned switchover         a -> b  pause    29 ms, 1 failed, lost 0 of 2,261',
  );
  expect(summary(outcome({ trouble: 'no replica is up' }))).toBe('s  planned switchover         no replica is up');
});
