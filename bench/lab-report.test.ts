import { describe, expect, it } from 'vitest';
import type { DoorOutcome, Outcome } from '../test/lab/stories/story.js';
import { BEGIN, comparison, END, type Told, withComparison } from './lab-report.js';

const door = (over: Partial<DoorOutcome> = {}): DoorOutcome => ({
  door: 'vip',
  pause_ms: 100,
  down_ms: 100,
  errors: {},
  late: 0,
  connectionsLost: 1,
  acknowledged: 1000,
  lost: 0,
  unread: 0,
  lostAt: null,
  answers: true,
  ...over,
});

const told = (round: number, doors: readonly DoorOutcome[], over: Partial<Outcome> = {}): Told => ({
  system: 'tanist',
  fault: 'kill-redis',
  round,
  outcome: {
    system: 'tanist',
    fault: 'kill-redis',
    doors,
    twoWithVip: 0,
    twoWritable: 0,
    samples: 1,
    flaw: null,
    told_ms: 1,
    changes: [],
    ...over,
  },
  trouble: null,
});

const catalogue = {
  systems: [
    { name: 'keepalived', title: 'theirs' },
    { name: 'tanist', title: 'ours' },
  ],
  faults: [{ name: 'kill-redis', title: 'kill -9 of the master' }],
};

/** The cells of every row below the head. */
const cells = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

describe('comparison', () => {
  it('gives a row a door, with medians and ranges', () => {
    const rounds = [100, 300, 120].map((pause_ms, i) =>
      told(i + 1, [door({ pause_ms, lost: i }), door({ door: 'proxy', errors: { READONLY: i, ERR: 1 } })]),
    );
    expect(cells(comparison(rounds, catalogue))).toEqual([
      ['tanist', 'vip', '120 (100-300)', '0', '1', '1 (0-2) of 1000', '0', '3 of 3'],
      ['', 'proxy', '100', '2 (1-3)', '1', '0 of 1000', '', ''],
    ]);
  });

  it('does not pass off as a pause what had no end, and counts what could not be read or told', () => {
    const shut = told(1, [door({ answers: false, pause_ms: 40_000, unread: 7 })], { flaw: 'no master', twoWithVip: 3 });
    const failed: Told = { system: 'tanist', fault: 'kill-redis', round: 2, outcome: null, trouble: 'no start' };
    expect(cells(comparison([shut, failed], catalogue))).toEqual([
      ['tanist', 'vip', 'no end, 1 of 1', '0', '1', '0 of 1000; 7 could not be read', '3', '0 of 2'],
    ]);
    expect(cells(comparison([failed], catalogue))[0]?.at(-1)).toBe('could not be told, 1 times');
    expect(comparison([], catalogue)).toBe('');
  });
});

describe('withComparison', () => {
  it('replaces what stands between the markers, however often', () => {
    const text = `before\n${BEGIN}\nold\n${END}\nafter\n`;
    const once = withComparison(text, 'new');
    expect(once).toBe(`before\n${BEGIN}\n\nnew\n\n${END}\nafter\n`);
    expect(withComparison(once, 'new')).toBe(once);
    expect(() => withComparison('nothing', 'new')).toThrow(/no place for the tables/);
  });
});
