import { describe, expect, it } from 'vitest';
import { KeeperDriver, leading, successor } from '../../../test/support/keeper-driver.js';
import { B, C } from '../../../test/support/keeper-fakes.js';

const REASON = 'ours (10 keys at 2rrrrrrr:1500) goes beyond 1000, where 10.0.0.2:6379 took over';

/** A master that had written more than its successor has, and has been demoted. */
function diverged(save: KeeperDriver['save']): KeeperDriver {
  const d = leading();
  d.save = save;
  const taken = successor(d);
  d.redis.offset = 1_500;
  d.setSibling(B, taken);
  d.setRecord({ epoch: 1, master: B });
  return d;
}

describe('data that would be discarded', () => {
  it('is saved aside before the new master is followed', () => {
    const d = diverged({ path: '/var/lib/tanist/mymaster.rdb' });
    d.advanceUntil(() => d.state === 'replica');
    const orders = d.orders();
    const saved = orders.indexOf('save-aside');
    expect(saved).toBeGreaterThan(orders.indexOf('REPLICAOF 127.0.0.1 1'));
    expect(orders.indexOf('REPLICAOF 10.0.0.2 6379')).toBeGreaterThan(saved);
    expect(d.log).toContainEqual(expect.objectContaining({ effect: { do: 'save-aside', reason: REASON } }));
    expect(d.logged()).toContain('The data that is discarded now was saved as /var/lib/tanist/mymaster.rdb');
  });

  it('is kept while it cannot be saved, and the operator is called', () => {
    const d = diverged({ why: 'no space left on device' });
    d.advance(10 * 60_000);
    expect(d.state).toBe('quarantined');
    expect(d.redis.follows).toEqual({ host: '127.0.0.1', port: 1 });
    expect(d.reason).toMatch(/goes beyond 1000, .*: saving it aside failed \d+ times: no space left on device$/);
    const tries = d.orders().filter((each) => each === 'save-aside').length;
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(130);
    expect(d.logged('warning').filter((text) => text.includes('FLUSHALL')).length).toBe(tries - 4);
    // Room is made.
    d.save = { path: '/mnt/saved.rdb' };
    d.advanceUntil(() => d.state === 'replica', 70_000);
  });

  it('is not saved when the operator has emptied the Redis', () => {
    const d = diverged({ why: 'no space left on device' });
    d.advance(20_000);
    d.redis.keys = 0;
    d.advanceUntil(() => d.state === 'replica', 2_000);
  });

  it('is saved again when the Redis was restarted meanwhile: it may hold other data', () => {
    const d = diverged({ path: '/a' });
    d.advanceUntil(() => d.orders().includes('save-aside'));
    d.kill();
    d.advanceUntil(() => d.state === 'replica');
    expect(d.orders().filter((each) => each === 'save-aside')).toHaveLength(2);
  });

  it('is not saved when an answer never comes, but tried again', () => {
    const d = diverged({ path: '/a' });
    d.loseSaves = true;
    d.advance(31 * 60_000);
    expect(d.orders().filter((each) => each === 'save-aside')).toHaveLength(2);
    expect(d.state).toBe('quarantined');
  });
});

describe('a replica of one that does not lead any more', () => {
  /** B led, and C leads now, but does not answer. */
  function former(): KeeperDriver {
    const d = new KeeperDriver({ record: { epoch: 1, master: B } });
    d.setSibling(B, { role: 'master' });
    d.advanceUntil(() => d.state === 'replica');
    d.setSibling(C, { alive: false });
    d.setRecord({ epoch: 2, master: C });
    return d;
  }

  it('is detached at once: that one may come back empty, and would empty ours', () => {
    const d = former();
    d.advance(50);
    expect(d.orders().slice(-2)).toEqual(['replica -> quarantined', 'REPLICAOF 127.0.0.1 1']);
    expect(d.redis.follows).toEqual({ host: '127.0.0.1', port: 1 });
    d.setSibling(C, { role: 'master', replId: 'n'.repeat(40), replId2: d.redis.replId, secondOffset: 1_001 });
    d.advanceUntil(() => d.state === 'replica');
    expect(d.redis.follows).toEqual(C);
    expect(d.orders()).not.toContain('save-aside');
  });

  it('is not detached from the new master, to which the Sentinels have moved it at the same time', () => {
    const d = new KeeperDriver({ record: { epoch: 1, master: B } });
    d.setSibling(B, { role: 'master' });
    d.advanceUntil(() => d.state === 'replica');
    const mark = d.mark;
    d.redis.follows = C;
    d.redis.linkUp = true;
    d.setSibling(C, { role: 'master' });
    d.setRecord({ epoch: 2, master: C });
    d.advance(100);
    expect(d.state).toBe('replica');
    expect(d.orders(mark)).not.toContain('REPLICAOF 127.0.0.1 1');
  });

  it('is given time when the record may be late: the Sentinels have sent it to a newer one', () => {
    const d = new KeeperDriver({ record: { epoch: 1, master: B } });
    d.setSibling(B, { role: 'master' });
    d.advanceUntil(() => d.state === 'replica');
    d.redis.follows = C;
    d.advance(1_200);
    const mark = d.mark;
    d.setSibling(C, { role: 'master' });
    d.setRecord({ epoch: 2, master: C });
    d.advanceUntil(() => d.state === 'replica');
    expect(d.orders(mark)).not.toContain('REPLICAOF 127.0.0.1 1');
  });
});

describe('a replica that a Sentinel has stopped', () => {
  /** B leads, and a failover compares what its replicas have. */
  function stopped(durability: 'async' | 'replicated'): KeeperDriver {
    const d = new KeeperDriver({ record: { epoch: 1, master: B }, settings: { durability } });
    d.setSibling(B, { role: 'master' });
    d.advanceUntil(() => d.state === 'replica');
    for (const voter of d.voters) voter.leased_ms = 0;
    d.redis.follows = { host: '127.0.0.1', port: 1 };
    d.advanceUntil(() => d.state !== 'replica', 1_100);
    return d;
  }

  it('is not joined again while its master may not be leased: it might acknowledge what the next one lacks', () => {
    const d = stopped('replicated');
    for (const voter of d.voters.slice(1)) voter.leased_ms = 0;
    const mark = d.mark;
    d.advance(4_000);
    expect(d.orders(mark)).toEqual([]);
    expect(d.reason).toBe(
      'the record names 10.0.0.2:6379 in epoch 1: no majority says that 10.0.0.2:6379 has the lease: another may be about to be elected',
    );
    for (const voter of d.voters) voter.leased_ms = 1_000;
    d.advanceUntil(() => d.state === 'replica', 300);
    expect(d.redis.follows).toEqual(B);
  });

  it('is not joined when its agent has just been started, nor on a grant that is about to end', () => {
    const d = new KeeperDriver({
      record: { epoch: 1, master: B },
      running: true,
      settings: { durability: 'replicated' },
    });
    d.setSibling(B, { role: 'master' });
    for (const voter of d.voters) voter.leased_ms = 30;
    d.advance(2_000);
    expect(d.redis.follows).not.toEqual(B);
  });

  it('is joined by what voters say of the newest record only', () => {
    const d = stopped('replicated');
    for (const voter of d.voters) voter.leased_ms = 0;
    d.advance(100);
    d.setRecord({ epoch: 2, master: B });
    for (const voter of d.voters) voter.leased_ms = 1_000;
    d.advanceUntil(() => d.state === 'replica', 300);
    expect(d.redis.follows).toEqual(B);
  });

  it('is joined at once where no acknowledged write is promised to live', () => {
    const d = stopped('async');
    d.advanceUntil(() => d.state === 'replica', 100);
    expect(d.redis.follows).toEqual(B);
  });
});

describe('following a new master', () => {
  it('waits until the new master is one', () => {
    const d = leading();
    d.setSibling(B, { ...successor(d), role: 'replica' });
    d.setRecord({ epoch: 1, master: B });
    d.advance(3_000);
    expect(d.reason).toBe('the record names 10.0.0.2:6379 in epoch 1: 10.0.0.2:6379 is not a master yet');
    d.setSibling(B, successor(d));
    d.advanceUntil(() => d.state === 'replica', 100);
  });

  it('waits for news that is newer than its own data before it calls it lost', () => {
    const d = leading();
    d.setSibling(B, { role: 'master', replId: d.redis.replId, offset: 900, age_ms: 10_000 });
    d.setRecord({ epoch: 1, master: B });
    d.advance(100);
    expect(d.orders()).not.toContain('save-aside');
    d.setSibling(B, { role: 'master', replId: d.redis.replId, offset: 1_000 });
    d.advanceUntil(() => d.state === 'replica', 100);
    expect(d.orders()).not.toContain('save-aside');
  });

  it('asks for that news, ever more seldom', () => {
    const d = leading();
    d.setSibling(B, { alive: false });
    d.setRecord({ epoch: 1, master: B });
    const mark = d.mark;
    d.advance(60_000);
    const asked = d.log.slice(mark).filter(({ effect }) => effect.do === 'ask-siblings').length;
    expect(asked).toBeGreaterThan(30);
    expect(asked).toBeLessThan(120);
  });

  it('needs no copy of what a replica of this master read from its append-only file', () => {
    const memory = { role: 'replica', epoch: 1, replId: 'r'.repeat(40), offset: 900, keys: 9 } as const;
    const d = new KeeperDriver({ record: { epoch: 1, master: B }, memory });
    d.redis.replId = 'f'.repeat(40);
    d.setSibling(B, { role: 'master', replId: 'r'.repeat(40), offset: 1_000 });
    d.advanceUntil(() => d.state === 'replica');
    expect(d.orders()).not.toContain('save-aside');
  });

  it('needs one when another has taken over since, which may lack what came after the last note', () => {
    const memory = { role: 'replica', epoch: 1, replId: 'r'.repeat(40), offset: 900, keys: 9 } as const;
    const d = new KeeperDriver({ record: { epoch: 2, master: B }, memory });
    d.redis.replId = 'f'.repeat(40);
    d.setSibling(B, { role: 'master', replId: 'n'.repeat(40), replId2: 'r'.repeat(40), secondOffset: 1_001 });
    d.advanceUntil(() => d.state === 'replica');
    expect(d.orders()).toContain('save-aside');
  });

  it('needs one of what a former master read from it', () => {
    const memory = { role: 'master', epoch: 1, replId: 'r'.repeat(40), offset: 900, keys: 9 } as const;
    const d = new KeeperDriver({ record: { epoch: 2, master: B }, memory });
    d.redis.replId = 'f'.repeat(40);
    d.setSibling(B, { role: 'master', replId: 'n'.repeat(40), replId2: 'r'.repeat(40), secondOffset: 1_001 });
    d.advanceUntil(() => d.state === 'replica');
    expect(d.orders()).toContain('save-aside');
  });

  it('repeats an order that was lost', () => {
    const d = leading();
    d.setSibling(B, successor(d));
    d.redis.refuses.set('REPLICAOF 10.0.0.2', 'ERR not now');
    d.setRecord({ epoch: 1, master: B });
    d.advance(20_000);
    const tries = d.orders().filter((each) => each === 'REPLICAOF 10.0.0.2 6379').length;
    expect(tries).toBeGreaterThan(4);
    expect(tries).toBeLessThan(15);
    d.redis.refuses.clear();
    d.advanceUntil(() => d.state === 'replica', 11_000);
  });

  it('demotes without a transaction when the transaction is refused', () => {
    const d = leading();
    d.setSibling(B, successor(d));
    d.redis.refuses.set('EXEC', 'EXECABORT Transaction discarded because of previous errors.');
    const mark = d.mark;
    d.setRecord({ epoch: 1, master: B });
    d.advance(10);
    expect(d.writable).toBe(false);
    d.advanceUntil(() => d.state === 'replica', 1_000);
    const orders = d.orders(mark);
    const again = orders.lastIndexOf('REPLICAOF 127.0.0.1 1');
    expect(again).toBeGreaterThan(orders.indexOf('EXEC'));
    expect(orders.slice(again + 1, again + 3)).toEqual(['CLIENT KILL TYPE normal', 'CLIENT KILL TYPE pubsub']);
  });

  it('keeps a master paused that cannot be demoted', () => {
    const d = leading();
    d.redis.refuses.set('EXEC', 'EXECABORT');
    d.redis.refuses.set('REPLICAOF', 'ERR no');
    d.setRecord({ epoch: 1, master: B });
    d.advance(5);
    for (let i = 0; i < 300; i++) {
      d.advance(1_000);
      expect(d.writable).toBe(false);
    }
    expect(d.reason).toMatch(/Redis is being demoted \(it refuses: ERR no\)$/);
  });

  it('pauses again at once when the connection took the order with it', () => {
    const d = leading();
    for (const voter of d.voters.slice(1)) voter.reachable = false;
    d.advance(850);
    d.redis.state = 'busy';
    d.advanceUntil(() => d.state === 'fenced');
    d.disconnect('the connection was reset', false);
    d.connect();
    d.watchesWrites = false;
    d.wake();
    expect(d.advanceUntil(() => d.redis.pausedUntil > 0)).toBeLessThan(5);
  });

  it('demotes at once a Redis that cannot be paused', () => {
    const d = leading();
    d.redis.refuses.set('CLIENT PAUSE', "ERR Unknown subcommand or wrong number of arguments for 'PAUSE'");
    for (const voter of d.voters.slice(1)) voter.reachable = false;
    d.advanceUntil(() => d.state === 'fenced');
    d.advance(5);
    expect(d.redis.role).toBe('replica');
  });
});

describe('a replica that turns master without its keeper', () => {
  function following(): KeeperDriver {
    const d = new KeeperDriver({ record: { epoch: 1, master: B } });
    d.setSibling(B, { role: 'master' });
    d.advanceUntil(() => d.state === 'replica');
    d.advance(2_000);
    d.watchesWrites = false;
    return d;
  }

  it('is paused at once, and leads when the record follows', () => {
    const d = following();
    d.redis.answer(['REPLICAOF', 'NO', 'ONE'], d.now);
    const mark = d.mark;
    d.advanceUntil(() => d.redis.pausedUntil > 0, 1_100);
    d.watchesWrites = true;
    d.advance(500);
    d.setRecord({ epoch: 2, master: d.settings.self });
    d.advanceUntil(() => d.state === 'master', 100);
    expect(d.orders(mark)).toEqual([
      'persist master 1',
      'CLIENT PAUSE 60000 WRITE',
      'replica -> quarantined',
      'quarantined -> fenced',
      'persist master 2',
      'CLIENT UNPAUSE',
      'fenced -> master',
    ]);
  });

  it('is given that time each time', () => {
    const d = following();
    for (let i = 0; i < 3; i++) {
      d.watchesWrites = false;
      d.redis.answer(['REPLICAOF', 'NO', 'ONE'], d.now);
      d.advanceUntil(() => d.redis.pausedUntil > 0, 1_100);
      d.watchesWrites = true;
      d.advance(2_500);
      expect(d.redis.role).toBe('master');
      d.redis.answer(['REPLICAOF', B.host, String(B.port)], d.now);
      d.redis.linkUp = true;
      d.advanceUntil(() => d.state === 'replica', 1_100);
    }
  });

  it('is demoted again when no record follows', () => {
    const d = following();
    d.redis.answer(['REPLICAOF', 'NO', 'ONE'], d.now);
    d.advanceUntil(() => d.redis.pausedUntil > 0, 1_100);
    d.watchesWrites = true;
    d.advance(2_000);
    expect(d.redis.role).toBe('master');
    d.setSibling(B, { role: 'master', replId: 'n'.repeat(40), replId2: d.redis.replId2, secondOffset: 1_001 });
    d.advanceUntil(() => d.redis.role === 'replica', 1_500);
    d.advanceUntil(() => d.state === 'replica', 3_000);
    // It may have taken writes of its own.
    expect(d.orders()).toContain('save-aside');
    expect(d.redis.follows).not.toEqual(C);
  });
});
