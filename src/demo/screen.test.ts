import { expect, it } from 'vitest';
import type { Outcome } from './faults.js';
import { draw, type Picture, paint, summary } from './screen.js';

const PLAIN = paint(false);

function outcome(more: Partial<Outcome> = {}): Outcome {
  return {
    key: 's',
    from: '127.0.0.1:31999',
    to: '127.0.0.1:20000',
    pause_ms: 9_999,
    errors: 12_345,
    read: 1_234_567,
    lost: 99_999,
    trouble: null,
    ...more,
  };
}

function picture(outcomes: readonly Outcome[]): Picture {
  const places = [1, 2, 3].map((last) => `127.0.0.1:3100${last}`);
  return {
    redis: places.map((place) => ({ place, state: 'frozen', info: null })),
    sentinels: places.map((place) => ({ place, state: 'up', says: place })),
    writer: {
      target: 'looking for the master',
      acknowledged: 1_234_567,
      failed: 12_345,
      lost: 99_999,
      pauseNow_ms: 9_999,
      longestPause_ms: 99_999,
    },
    outcomes,
    busy: 'planned switchover',
  };
}

it('fits a terminal of 80 columns and 24 rows, however long it runs, with the keys in sight', () => {
  const lines = draw(picture(Array.from({ length: 50 }, () => outcome())), PLAIN, 24);
  expect(lines).toHaveLength(24);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines.at(-1)).toBe('  k kill   z freeze   s switch over   r revive   q quit   … planned switchover');
});

it('marks what is lost, down or in trouble, and gives plain text where colour is off', () => {
  const colours = paint(true);
  const bad = (line: string | undefined) => line?.includes('\u001b[31m');
  const shown = [outcome({ lost: 0 }), outcome(), outcome({ lost: 0, trouble: 'no replica is up' })];
  const lines = draw(picture(shown), colours, 24).filter((line) => line.includes('planned switchover  '));
  expect(lines.map(bad)).toEqual([false, true, true]);
  expect(draw(picture(shown), PLAIN).join('')).not.toContain('\u001b');
});

it('sums a fault up in a line', () => {
  expect(summary(outcome({ pause_ms: 29, errors: 1, lost: 0, read: 2_261 }))).toBe(
    's  planned switchover   127.0.0.1:31999 -> 127.0.0.1:20000  pause    29 ms, 1 failed, ' +
      '0 of 2,261 acknowledged writes lost',
  );
  expect(summary(outcome({ trouble: 'no replica is up' }))).toBe('s  planned switchover   no replica is up');
});
