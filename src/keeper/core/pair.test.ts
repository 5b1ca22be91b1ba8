import { describe, expect, it } from 'vitest';
import { type DriverOptions, KeeperDriver, successor } from '../../../test/support/keeper-driver.js';
import { B, SELF } from '../../../test/support/keeper-fakes.js';
import { pairLeader } from './pair.js';

function pair(redis: Partial<KeeperDriver['redis']> = {}, options: DriverOptions = {}): KeeperDriver {
  const d = new KeeperDriver({ settings: { mode: 'pair', siblings: [B], voters: [] }, record: null, ...options });
  Object.assign(d.redis, redis);
  return d;
}

/** A backup that follows the peer. */
function backup(): KeeperDriver {
  const d = pair();
  d.setSibling(B, { role: 'master' });
  d.input({ on: 'pair', state: 'backup' });
  d.advanceUntil(() => d.state === 'replica');
  d.advance(2_000);
  return d;
}

function leader(): KeeperDriver {
  const d = pair();
  d.setSibling(B, { alive: false });
  d.input({ on: 'pair', state: 'master' });
  d.advanceUntil(() => d.state === 'master');
  d.advance(2_000);
  return d;
}

describe('who leads a pair', () => {
  it('is we when VRRP chose us and our Redis leads', () => {
    const d = pair();
    d.setSibling(B, { role: 'replica' });
    d.input({ on: 'pair', state: 'master' });
    expect(pairLeader(d.keeper)).toBeNull();
    d.advanceUntil(() => d.state === 'master');
    expect(pairLeader(d.keeper)).toEqual(SELF);
  });

  it('is the peer when VRRP chose it and its Redis is a master, whatever ours was until now', () => {
    const d = leader();
    d.setSibling(B, { ...successor(d), secondOffset: 1 });
    expect(pairLeader(d.keeper)).toEqual(SELF);
    d.save = { why: 'no room' };
    d.input({ on: 'pair', state: 'backup' });
    expect(pairLeader(d.keeper)).toBeNull();
    d.advance(1_000);
    expect([d.state, d.redis.role]).toEqual(['quarantined', 'replica']);
    expect(pairLeader(d.keeper)).toEqual(B);
  });

  it('is nobody while no peer leads, or VRRP has a fault here', () => {
    const d = backup();
    expect(pairLeader(d.keeper)).toEqual(B);
    d.setSibling(B, { role: 'master', alive: false });
    expect(pairLeader(d.keeper)).toBeNull();
    d.setSibling(B, { role: 'master' });
    d.input({ on: 'pair', state: 'fault' });
    expect(pairLeader(d.keeper)).toBeNull();
  });
});

describe('pair mode', () => {
  it('tells VRRP that it is fit as soon as its Redis may be chosen', () => {
    const d = pair();
    d.advance(3_000);
    expect([d.state, d.reason]).toEqual(['quarantined', 'VRRP has not decided yet']);
    expect(d.vipUntil ?? 0).toBeGreaterThan(d.now);
    d.kill();
    d.advance(5);
    expect(d.vipUntil).toBeNull();
    d.advance(3_000);
    expect(d.vipUntil).not.toBeNull();
  });

  it('is unfit while it is empty and the peer is fuller', () => {
    const d = pair({ keys: 0, replId: 'f'.repeat(40), offset: 0 });
    d.advance(3_000);
    expect(d.vipUntil).toBeNull();
    d.setSibling(B, { role: 'master' });
    d.input({ on: 'pair', state: 'fault' });
    d.advanceUntil(() => d.state === 'replica');
    d.advance(1_500);
    expect(d.vipUntil).not.toBeNull();
  });

  it('does not lead with what it held as a master once the peer has led since and has more, although that one has let go', () => {
    const memory = { role: 'master', epoch: 1, replId: 'r'.repeat(40), offset: 1_000, keys: 10 } as const;
    const d = pair({ keys: 10, replId: 'f'.repeat(40), offset: 0 }, { memory, record: { epoch: 2, master: B } });
    d.setSibling(B, { role: 'replica', keys: 12, replId: 'n'.repeat(40) });
    d.input({ on: 'pair', state: 'master' });
    d.advance(5_000);
    expect([d.state, d.redis.role]).toEqual(['fenced', 'replica']);
    expect(d.reason).toMatch(/^it does not lead: 10\.0\.0\.2:6379 has more/);
    expect(d.vipUntil).toBeNull();
    d.setSibling(B, { alive: false });
    d.advanceUntil(() => d.state === 'master', 4_000);
  });

  it('leads with what it held as a master when the peer was named before', () => {
    const memory = { role: 'master', epoch: 1, replId: 'r'.repeat(40), offset: 1_000, keys: 10 } as const;
    const d = pair({ keys: 10, replId: 'f'.repeat(40), offset: 0 }, { memory, record: { epoch: 1, master: B } });
    d.setSibling(B, { role: 'replica', keys: 12, replId: 'n'.repeat(40) });
    d.input({ on: 'pair', state: 'master' });
    d.advanceUntil(() => d.state === 'master', 4_000);
  });

  it.each([
    ['the peer is gone', { alive: false }],
    ['the peer was demoted', { role: 'replica' }],
  ] as const)('promotes as soon as %s', (_, news) => {
    const d = backup();
    d.input({ on: 'pair', state: 'master' });
    d.advance(200);
    expect([d.state, d.redis.role]).toEqual(['fenced', 'replica']);
    d.setSibling(B, news);
    expect(d.advanceUntil(() => d.state === 'master')).toBeLessThan(20);
  });

  it('waits for what the demoted peer has still under way', () => {
    const d = backup();
    d.input({ on: 'pair', state: 'master' });
    d.setSibling(B, { role: 'replica', offset: 1_300 });
    d.advance(200);
    expect(d.redis.role).toBe('replica');
    d.redis.offset = 1_300;
    expect(d.advanceUntil(() => d.state === 'master')).toBeLessThan(200);
  });

  it('promotes as soon as its replication link is broken', () => {
    const d = backup();
    d.input({ on: 'pair', state: 'master' });
    d.advance(50);
    d.redis.linkUp = false;
    expect(d.advanceUntil(() => d.state === 'master')).toBeLessThan(50);
  });

  it('promotes all the same after a while: VRRP has decided', () => {
    const d = backup();
    d.input({ on: 'pair', state: 'master' });
    const after = d.advanceUntil(() => d.state === 'master');
    expect(after).toBeGreaterThan(2_900);
    expect(after).toBeLessThan(3_100);
    expect(d.reason).toBe('VRRP chose this host, and 10.0.0.2:6379 did not let go within 3000 ms');
  });

  it('demotes at once when VRRP gives the VIP away, and follows when the peer leads', () => {
    const d = leader();
    d.setSibling(B, { ...successor(d), role: 'replica' });
    const mark = d.mark;
    d.input({ on: 'pair', state: 'backup' });
    expect(d.orders(mark)).toEqual([
      'CLIENT PAUSE 60000 WRITE',
      'MULTI',
      'REPLICAOF 127.0.0.1 1',
      'CLIENT KILL TYPE normal',
      'CLIENT KILL TYPE pubsub',
      'EXEC',
      'master -> quarantined',
    ]);
    d.advance(1_000);
    expect(d.redis.follows.port).toBe(1);
    d.setSibling(B, successor(d));
    d.advanceUntil(() => d.state === 'replica', 50);
    expect(d.redis.follows).toEqual(B);
    expect(d.redis.pausedUntil).toBe(0);
  });

  it('saves aside what the peer does not have', () => {
    const d = leader();
    const taken = successor(d);
    d.redis.offset = 2_000;
    d.setSibling(B, taken);
    d.input({ on: 'pair', state: 'backup' });
    d.advanceUntil(() => d.state === 'replica', 200);
    expect(d.orders()).toContain('save-aside');
  });

  it('lets go when the agent stops', () => {
    const d = leader();
    const mark = d.mark;
    d.input({ on: 'stop' });
    expect(d.orders(mark)).toContain('revoke-vip');
    expect(d.orders(mark)).toContain('REPLICAOF 127.0.0.1 1');
    expect(d.writable).toBe(false);
  });
});
