import { describe, expect, it } from 'vitest';
import { KeeperDriver, leading } from '../../../test/support/keeper-driver.js';
import { B, SELF } from '../../../test/support/keeper-fakes.js';
import { Prng } from '../../base/prng.js';
import type { Effect } from './io.js';
import { heldUntil, mayLeadUntil } from './lease.js';
import { snapshot } from './snapshot.js';
import { createKeeper, step } from './step.js';
import { grantCounts_ms, guard_ms, majority } from './timing.js';

const RECORD = { epoch: 4, master: SELF };
type Ask = Extract<Effect, { do: 'ask-lease' }>;

/** A keeper whose Redis is well, with voters whose answers the test gives. */
function asking(voters = ['a', 'b', 'c']) {
  const d = new KeeperDriver({ settings: { voters }, record: RECORD });
  for (const voter of d.voters) voter.reachable = false;
  d.advanceUntil(() => d.log.some(({ effect }) => effect.do === 'ask-lease'));
  const asks = (mark = 0): Ask[] =>
    d.log.slice(mark).flatMap(({ effect }) => (effect.do === 'ask-lease' && effect.ttl_ms > 0 ? [effect] : []));
  const askOf = (voter: string): Ask => {
    const [last] = asks()
      .filter((each) => each.voter === voter)
      .reverse();
    if (last === undefined) throw new Error(`${voter} was not asked`);
    return last;
  };
  const grant = ({ voter, ask }: Ask): void => {
    d.watchesWrites = false;
    d.input({ on: 'lease', voter, ask, granted: true, reason: '', record: RECORD, leased_ms: 0, vote: null });
  };
  return { d, asks, askOf, grant };
}

describe('the lease', () => {
  it('counts a grant from when it was asked for, with a margin for clocks', () => {
    const { d, askOf, grant } = asking();
    const askedAt = d.now;
    const [a, b] = [askOf('a'), askOf('b')];
    d.advance(100);
    grant(a);
    grant(b);
    expect(heldUntil(d.keeper)).toBe(askedAt + 1_000 - 60);
    expect(mayLeadUntil(d.keeper)).toBe(askedAt + 1_000 - 60 - 50);
  });

  it('lasts as long as the majority-th best grant', () => {
    const { d, askOf, grant } = asking(['a', 'b', 'c', 'd', 'e']);
    const first = d.now;
    const early = [askOf('a'), askOf('b')];
    d.advance(260);
    const later = d.now;
    grant(askOf('c'));
    grant(askOf('d'));
    for (const ask of early) grant(ask);
    expect(later).toBeGreaterThan(first);
    // c and d were asked again 250 ms after the first time; a and b answered the first ask.
    expect(heldUntil(d.keeper)).toBe(first + 940);
  });

  it('is asked for at once when another has given it back, unless it is held', () => {
    const { d, asks, askOf, grant } = asking();
    const refused = { granted: false, reason: '10.0.0.2:6379 holds a grant', record: RECORD, leased_ms: 0, vote: null };
    for (const voter of ['a', 'b', 'c']) d.input({ on: 'lease', voter, ask: askOf(voter).ask, ...refused });
    let mark = d.log.length;
    d.input({ on: 'lease-freed' });
    expect(asks(mark).map(({ voter }) => voter)).toEqual(['a', 'b', 'c']);
    for (const voter of ['a', 'b']) grant(askOf(voter));
    mark = d.log.length;
    d.input({ on: 'lease-freed' });
    expect(asks(mark)).toEqual([]);
  });

  it('does not count an answer that is older than one that came already', () => {
    const { d, askOf, grant } = asking();
    const old = askOf('a');
    d.advance(260);
    const fresh = askOf('a');
    expect(fresh.ask).toBeGreaterThan(old.ask);
    d.input({
      on: 'lease',
      voter: 'a',
      ask: fresh.ask,
      granted: false,
      reason: 'it voted',
      record: RECORD,
      leased_ms: 0,
      vote: null,
    });
    grant(old);
    expect(snapshot(d.keeper, d.now).lease?.voters[0]).toMatchObject({ left_ms: null, said: 'it voted' });
  });

  it('does not count a grant of another epoch, or of one who believes in another master', () => {
    const { d, askOf } = asking();
    const [a, b] = [askOf('a'), askOf('b')];
    d.input({
      on: 'lease',
      voter: 'a',
      ask: a.ask,
      granted: true,
      reason: '',
      record: { epoch: 3, master: SELF },
      leased_ms: 0,
      vote: null,
    });
    d.input({
      on: 'lease',
      voter: 'b',
      ask: b.ask,
      granted: true,
      reason: '',
      record: { epoch: 4, master: B },
      leased_ms: 0,
      vote: null,
    });
    expect(heldUntil(d.keeper)).toBe(Number.NEGATIVE_INFINITY);
  });

  it('does not count an answer to an ask from before it was given back', () => {
    const { d, askOf, grant } = asking();
    const [a, b] = [askOf('a'), askOf('b')];
    grant(a);
    d.kill();
    d.advance(3);
    expect(d.state).toBe('failed');
    grant(b);
    grant(a);
    expect(heldUntil(d.keeper)).toBe(Number.NEGATIVE_INFINITY);
  });

  it('tells a voter that refuses because of a vote when it is held without that one', () => {
    const d = leading();
    const [, b, c] = d.voters;
    if (b === undefined || c === undefined) throw new Error('no voters');
    c.vote = 7;
    d.advance(3_000);
    expect(c.grant?.until).toBeGreaterThan(d.now);
    // With another gone as well it is not held, and nothing is claimed of it.
    b.reachable = false;
    c.refuses = 'not now';
    d.advanceUntil(() => d.state === 'fenced');
    d.advance(guard_ms(1_000));
    Object.assign(c, { vote: 8, refuses: null });
    const mark = d.log.length;
    d.advance(3_000);
    const toC = d.log
      .slice(mark)
      .flatMap(({ effect }) => (effect.do === 'ask-lease' && effect.voter === 'c' ? [effect] : []));
    expect(toC.length).toBeGreaterThan(5);
    expect(new Set(toC.map(({ held }) => held))).toEqual(new Set([null]));
  });

  it('says nothing of votes to a voter that has failed to answer: it may not know the word any more', () => {
    const d = leading();
    const [, , c] = d.voters;
    if (c === undefined) throw new Error('no voter');
    c.reachable = false;
    const lastAsk = (): Ask => {
      d.advance(260);
      const ask = d.log.findLast(({ effect }) => effect.do === 'ask-lease' && effect.voter === 'c')?.effect;
      if (ask?.do !== 'ask-lease') throw new Error('c was not asked');
      return ask;
    };
    const { ask } = lastAsk();
    d.input({
      on: 'lease',
      voter: 'c',
      ask,
      granted: false,
      reason: 'voted',
      record: d.keeper.record,
      leased_ms: 0,
      vote: 7,
    });
    expect(lastAsk().held).toBe(7);
    d.input({ on: 'lease-failed', voter: 'c', ask: lastAsk().ask, why: 'ERR unknown option' });
    expect(lastAsk().held).toBeNull();
  });

  it('knows nothing of voters that it did not ask', () => {
    const { d } = asking();
    d.input({
      on: 'lease',
      voter: 'stranger',
      ask: 1,
      granted: true,
      reason: '',
      record: RECORD,
      leased_ms: 0,
      vote: null,
    });
    d.input({
      on: 'lease',
      voter: 'a',
      ask: 999,
      granted: true,
      reason: '',
      record: { epoch: 9, master: B },
      leased_ms: 0,
      vote: null,
    });
    expect(d.keeper.record).toEqual(RECORD);
  });

  it('asks a silent voter at the pace of renewals, a refusing one in milliseconds', () => {
    const d = new KeeperDriver({ record: RECORD });
    const [a, b, c] = d.voters;
    if (a === undefined || b === undefined || c === undefined) throw new Error('three voters');
    a.reachable = false;
    b.refuses = 'it voted';
    c.refuses = 'it voted';
    d.advanceUntil(() => d.log.some(({ effect }) => effect.do === 'ask-lease'));
    const mark = d.mark;
    d.advance(500);
    const asked = (id: string): number =>
      d.log.slice(mark).filter(({ effect }) => effect.do === 'ask-lease' && effect.voter === id).length;
    expect(asked('a')).toBeLessThanOrEqual(2);
    expect(asked('b')).toBeGreaterThan(10);
    d.advance(60_000);
    const before = asked('b');
    d.advance(10_000);
    expect(asked('b') - before).toBeLessThanOrEqual(40);
  });

  it('owes itself at most eight answers of a voter', () => {
    const { d } = asking();
    d.advance(60_000);
    for (const voter of d.keeper.lease.voters) expect(voter.asks.length).toBeLessThanOrEqual(8);
  });

  it('grants the VIP never longer than it lasts', () => {
    const d = leading();
    d.advance(5_000);
    const grants = d.log.flatMap(({ at, effect }) => (effect.do === 'grant-vip' ? [{ at, until: effect.until }] : []));
    for (const { at, until } of grants) expect(until - at).toBeLessThanOrEqual(1_000 - 60 - 50);
    expect(grants.length).toBeGreaterThan(20);
    // Each prolongs the one before.
    for (const [index, { until }] of grants.entries()) expect(until).toBeGreaterThan(grants[index - 1]?.until ?? 0);
  });

  it('is held by one voter alone in a cluster of one', () => {
    const d = new KeeperDriver({ settings: { voters: ['a'], siblings: [] } });
    expect(d.advanceUntil(() => d.state === 'master')).toBeLessThan(60);
  });

  it('needs somebody to ask', () => {
    const { settings } = new KeeperDriver();
    expect(() => createKeeper({ ...settings, voters: [] }, null, new Prng(1), 0)).toThrow('a lease needs voters');
  });
});

describe('without a lease', () => {
  it('the record alone decides, and the VIP is granted for as long as the keeper lives', () => {
    const d = new KeeperDriver({ settings: { ttl_ms: null } });
    d.advanceUntil(() => d.state === 'master');
    d.advance(10_000);
    expect(d.log.some(({ effect }) => effect.do === 'ask-lease')).toBe(false);
    expect(d.vipUntil ?? 0).toBeGreaterThan(d.now + 1_900);
    expect(d.orders().some((each) => each.startsWith('CONFIG SET'))).toBe(false);
    d.setSibling(B, { role: 'master', replId: 'n'.repeat(40), replId2: d.redis.replId, secondOffset: 1_001 });
    d.tellRecord({ epoch: 5, master: B });
    d.advanceUntil(() => d.state === 'replica', 50);
  });
});

describe('lease arithmetic', () => {
  it.each([
    [200, 180, 20, 1],
    [1_000, 940, 50, 2],
    [60_000, 56_990, 3_000, 3],
  ])('ttl %i ms', (ttl_ms, counts_ms, guard, _) => {
    expect(grantCounts_ms(ttl_ms)).toBe(counts_ms);
    expect(guard_ms(ttl_ms)).toBe(guard);
  });

  it('needs more than half of the voters', () => {
    expect([1, 2, 3, 4, 5].map(majority)).toEqual([1, 2, 2, 3, 3]);
  });

  it('asks under another term after each release, and gives back only what it has asked for in its own', () => {
    const d = leading();
    const terms = (mark: number, ttl_ms: number) =>
      new Set(
        d.log.slice(mark).flatMap(({ effect }) => {
          if (effect.do !== 'ask-lease' || (effect.ttl_ms === 0) !== (ttl_ms === 0)) return [];
          return [effect.term];
        }),
      );
    const [first] = terms(0, 1);
    const mark = d.mark;
    d.kill();
    d.advance(20);
    expect(terms(mark, 0)).toEqual(new Set([first]));
    const after = d.mark;
    d.advance(3_000);
    expect(terms(after, 1)).toEqual(new Set([(first ?? 0) + 1]));
    // What an earlier life was granted is given back whole.
    const other = new KeeperDriver({ record: { epoch: 0, master: SELF } });
    other.input({ on: 'looked', look: { state: 'gone' } });
    other.input({ on: 'process-failed', why: 'there is no program' });
    other.tellRecord({ epoch: 0, master: SELF });
    expect(
      other.log.flatMap(({ effect }) => (effect.do === 'ask-lease' && effect.ttl_ms === 0 ? [effect.term] : [])),
    ).toEqual([null, null, null]);
  });

  it('takes no step once it has stopped', () => {
    const d = leading();
    d.input({ on: 'stop' });
    expect(step(d.keeper, d.now, { on: 'tick' })).toEqual([]);
  });
});
