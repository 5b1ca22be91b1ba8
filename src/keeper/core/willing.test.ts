import { describe, expect, it } from 'vitest';
import { type DriverOptions, KeeperDriver, leading } from '../../../test/support/keeper-driver.js';
import { B, C, SELF } from '../../../test/support/keeper-fakes.js';
import { readOwnInfo } from './own-info.js';
import { judgeWilling } from './willing.js';

const R = 'r'.repeat(40);
const F = 'f'.repeat(40);

/** A Redis that starts from disk, named by the record. */
function starting(redis: Partial<KeeperDriver['redis']>, options: DriverOptions = {}): KeeperDriver {
  const d = new KeeperDriver(options);
  Object.assign(d.redis, redis);
  return d;
}

describe('a Redis that the record names', () => {
  it('does not lead when it is empty and a fuller one lives', () => {
    const d = starting({ keys: 0, replId: F, offset: 0 });
    d.advance(3_000);
    expect(d.state).toBe('fenced');
    expect(d.reason).toBe('it does not lead: ours is empty, and 10.0.0.2:6379 has 10 keys at rrrrrrrr:1000');
    expect(d.redis.role).toBe('replica');
    expect(d.voters.every(({ grant }) => grant === null)).toBe(true);
    expect(d.voters[1]?.releases).toEqual(['ours is empty, and 10.0.0.2:6379 has 10 keys at rrrrrrrr:1000']);
  });

  it('leads when it is empty and so are the others', () => {
    const d = starting({ keys: 0, replId: F, offset: 0 });
    d.setSibling(B, { keys: 0, replId: 'b'.repeat(40), offset: 0 });
    d.setSibling(C, { keys: 0, replId: 'c'.repeat(40), offset: 0 });
    d.advanceUntil(() => d.state === 'master', 200);
  });

  it('does not lead when it is behind in the same history', () => {
    const d = starting({ keys: 9, replId: R, offset: 400 });
    d.advance(3_000);
    expect(d.reason).toBe(
      'it does not lead: 10.0.0.2:6379 is 600 bytes ahead (it has 10 keys at rrrrrrrr:1000, we have 9 keys at rrrrrrrr:400)',
    );
  });

  it('leads when it is a master already, and others of its history tell more only because they told later', () => {
    const d = starting({ keys: 9, replId: R, offset: 400, role: 'master' }, { running: true });
    d.watchesWrites = false;
    d.advanceUntil(() => d.state === 'master', 200);
  });

  it('does not take the place of a master that it follows because the file alone names it', () => {
    const d = starting({ follows: B, linkUp: true }, { running: true });
    d.setSibling(B, { role: 'master' });
    d.advance(10_000);
    expect(d.state).toBe('fenced');
    expect(d.reason).toBe(
      'the file names this host first, but 10.0.0.2:6379 leads already: put its host first in tanist.yml',
    );
    expect(d.redis).toMatchObject({ role: 'replica', follows: B });
    d.setSibling(B, { role: 'master', alive: false });
    d.advanceUntil(() => d.state === 'master', 3_000);
  });

  it('leads when the fuller one is gone', () => {
    const d = starting({ keys: 0, replId: F, offset: 0 });
    d.advance(3_000);
    expect(d.state).toBe('fenced');
    d.setSibling(B, { alive: false });
    d.setSibling(C, { alive: false });
    d.advanceUntil(() => d.state === 'master', 200);
  });

  it('need not prove itself again once it is promoted: Redis forgets the history before the last', () => {
    const d = starting({ keys: 0, replId: 'n'.repeat(40), offset: 250, replId2: R, secondOffset: 151 });
    d.setSibling(B, { offset: 100 });
    d.setSibling(C, { offset: 100 });
    d.advanceUntil(() => d.state === 'master', 200);
    d.advance(3_000);
    expect(d.state).toBe('master');
  });

  it('waits for news of the others, but not for ever', () => {
    const d = starting({});
    d.setSibling(B, { alive: false });
    const after = d.advanceUntil(() => d.state === 'master');
    expect(after).toBeGreaterThan(1_900);
    expect(after).toBeLessThan(2_200);
  });

  it('waits longer when it has lost its keys', () => {
    const memory = { role: 'master', epoch: 0, replId: R, offset: 1_000, keys: 10 } as const;
    const d = starting({ keys: 0, replId: F, offset: 0 }, { memory });
    d.setSibling(B, { alive: false });
    d.setSibling(C, { alive: false });
    d.advance(10_000);
    expect(d.state).toBe('fenced');
    expect(d.reason).toBe('news of 10.0.0.2:6379, 10.0.0.3:6379 is waited for, since ours is empty and had 10 keys');
    d.setSibling(B, { alive: true });
    d.advance(10);
    expect(d.reason).toMatch(/^it does not lead: ours is empty/);
  });

  it('leads with what it read from its append-only file, if it was the master and has no fewer keys', () => {
    const memory = { role: 'master', epoch: 0, replId: R, offset: 1_000, keys: 10 } as const;
    const d = starting({ keys: 10, replId: F, offset: 0 }, { memory });
    d.setSibling(B, { keys: 12 });
    d.advanceUntil(() => d.state === 'master', 200);
  });

  it('does not lead with what it held as a master when another may have led since and has more', () => {
    const memory = { role: 'master', epoch: 0, replId: R, offset: 1_000, keys: 10 } as const;
    const d = starting({ keys: 10, replId: F, offset: 0 }, { memory, record: { epoch: 2, master: SELF } });
    d.setSibling(B, { keys: 12, replId: 'n'.repeat(40) });
    d.advance(500);
    expect(d.reason).toMatch(/^it does not lead: 10.0.0.2:6379 has more/);
    // One that is in the history that was made here has led none of its own.
    d.setSibling(B, { keys: 12, replId: R });
    d.advanceUntil(() => d.state === 'master', 2_000);
  });

  it('leads with it all the same where whoever was promoted was proven to have every acknowledged write', () => {
    const memory = { role: 'master', epoch: 0, replId: R, offset: 1_000, keys: 10 } as const;
    const settings = { durability: 'replicated' } as const;
    const d = starting({ keys: 10, replId: F, offset: 0 }, { memory, record: { epoch: 2, master: SELF }, settings });
    d.setSibling(B, { keys: 12, replId: 'n'.repeat(40) });
    d.setSibling(C, { replId: 'n'.repeat(40) });
    d.advanceUntil(() => d.state === 'master', 2_000);
  });

  it('does not lead from its files where a replica may have what it acknowledged last', () => {
    const memory = { role: 'master', epoch: 2, replId: R, offset: 1_000, keys: 10 } as const;
    const settings = { durability: 'replicated' } as const;
    const d = starting({ keys: 10, replId: F, offset: 0 }, { memory, record: { epoch: 2, master: SELF }, settings });
    d.setSibling(B, { keys: 10, replId: R, offset: 1_000 });
    d.setSibling(C, { keys: 10, replId: R, offset: 900 });
    d.advance(20_000);
    expect(d.reason).toBe(
      'it does not lead: 10.0.0.2:6379 may have what was acknowledged last, and ours may have lost it in a restart: the Sentinels are to compare',
    );
    // If they have elected nobody by then, it is better than nothing.
    d.advanceUntil(() => d.state === 'master', 12_000);
    expect(d.logged('warning')).toContain(
      'Redis is to lead from its files, since nobody who may have more was elected: what it acknowledged last may be lost',
    );
    // One that was left behind before we noted it holds nothing that we may have lost.
    const other = starting(
      { keys: 10, replId: F, offset: 0 },
      { memory, record: { epoch: 2, master: SELF }, settings },
    );
    for (const place of [B, C]) other.setSibling(place, { keys: 10, replId: R, offset: 999 });
    other.advanceUntil(() => other.state === 'master', 2_000);
  });

  it('does not lead when it has fewer keys than before, and than another', () => {
    const memory = { role: 'master', epoch: 0, replId: R, offset: 1_000, keys: 1_000 } as const;
    const d = starting({ keys: 10, replId: F, offset: 0 }, { memory });
    d.setSibling(C, { keys: 900 });
    d.advance(500);
    expect(d.reason).toBe(
      'it does not lead: 10.0.0.3:6379 has more (it has 900 keys at rrrrrrrr:1000, we have 10 keys at ffffffff:0, and as a master we had 1000)',
    );
  });

  it('does not lead while it receives a copy', () => {
    const d = starting({ syncing: true });
    d.advance(500);
    expect(d.reason).toBe('it does not lead: it is receiving a copy of the data, which is not whole yet');
  });

  it('does not lead while it loads', () => {
    const d = starting({ loading: true });
    d.advance(5_000);
    expect([d.state, d.reason]).toEqual(['starting', 'Redis is loading its data']);
    d.redis.loading = false;
    d.advanceUntil(() => d.state === 'master', 1_200);
  });

  it('need not prove itself again after a lease that was lost for a moment', () => {
    const d = leading();
    d.setSibling(B, { keys: 1_000, replId: 'x'.repeat(40) });
    for (const voter of d.voters.slice(1)) voter.reachable = false;
    d.advanceUntil(() => d.state === 'fenced');
    for (const voter of d.voters) voter.reachable = true;
    d.advanceUntil(() => d.state === 'master', 100);
  });

  it('leads when it followed and was chosen, although it lags', () => {
    const d = new KeeperDriver({ record: { epoch: 1, master: B } });
    d.setSibling(B, { role: 'master' });
    d.advanceUntil(() => d.state === 'replica');
    d.advance(1_500);
    d.setSibling(B, { role: 'master', offset: 1_200, alive: true });
    d.setRecord({ epoch: 2, master: SELF });
    d.advanceUntil(() => d.state === 'master', 100);
  });
});

/** Two keepers must never wait for each other: whatever they know, one of them leads. */
describe('two Redis that know each other', () => {
  const histories = [
    { replId: R, offset: 100 },
    { replId: R, offset: 200 },
    { replId: F, offset: 0 },
    { replId: 'g'.repeat(40), offset: 0 },
    { replId: 'n'.repeat(40), offset: 250, replId2: R, secondOffset: 151 },
  ];
  const memories = [
    null,
    { role: 'master', epoch: 0, replId: R, offset: 200, keys: 10 },
    { role: 'replica', epoch: 0, replId: R, offset: 150, keys: 5 },
  ] as const;
  const keys = [0, 7];

  it('never both decline', () => {
    const all = histories.flatMap((history) =>
      memories.flatMap((memory) => keys.map((count) => ({ ...history, memory, keys: count }))),
    );
    const declines = (own: (typeof all)[number], other: (typeof all)[number]): boolean => {
      const { memory, ...data } = own;
      const { memory: _, ...theirs } = other;
      const d = starting(data, { settings: { siblings: [B] }, ...(memory === null ? {} : { memory }) });
      const { keeper, redis, now } = d;
      keeper.redis.info = readOwnInfo(String(redis.answer(['INFO'], now)), now, 0);
      d.setSibling(B, { replId2: '', secondOffset: -1, ...theirs });
      return judgeWilling(keeper, now).is === 'unwilling';
    };
    for (const a of all) {
      for (const b of all) {
        // One data set at two places has one count of keys.
        if (a.replId === b.replId && a.offset === b.offset && a.keys !== b.keys) continue;
        expect(declines(a, b) && declines(b, a), JSON.stringify([a, b])).toBe(false);
      }
    }
  });
});
