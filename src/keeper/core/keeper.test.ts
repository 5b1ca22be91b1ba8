import { describe, expect, it } from 'vitest';
import { KeeperDriver, leading, successor } from '../../../test/support/keeper-driver.js';
import { B, C, SELF } from '../../../test/support/keeper-fakes.js';
import { snapshot } from './snapshot.js';

describe('a managed Redis that starts', () => {
  it('is started as a replica of nobody, and leads once the lease is held', () => {
    const d = new KeeperDriver();
    d.advanceUntil(() => d.state === 'master');
    expect(d.orders()).toEqual([
      'start-redis',
      'starting -> quarantined',
      'quarantined -> fenced',
      'persist master 0',
      'REPLICAOF NO ONE',
      'persist master 0',
      'CONFIG SET min-replicas-max-lag 2',
      'CONFIG SET min-replicas-to-write 0',
      'fenced -> master',
    ]);
    d.advance(10_000);
    expect(d.state).toBe('master');
  });

  it('does not lead while a majority of voters is not reached', () => {
    const d = new KeeperDriver();
    for (const voter of d.voters.slice(1)) voter.reachable = false;
    d.advance(20_000);
    expect(d.state).toBe('quarantined');
    expect(d.reason).toBe('10.0.0.1:6379 may lead: the voters are being asked; 1 of 3 have answered, 2 are needed');
    expect(d.redis.role).toBe('replica');
  });

  it('is not held up by a voter that never answers', () => {
    const d = new KeeperDriver();
    const [first] = d.voters;
    if (first !== undefined) first.reachable = false;
    expect(d.advanceUntil(() => d.state === 'master')).toBeLessThan(60);
  });

  it('follows the master that the record names', () => {
    const d = new KeeperDriver({ record: { epoch: 3, master: B } });
    d.setSibling(B, { role: 'master' });
    d.advanceUntil(() => d.state === 'replica');
    expect(d.orders()).toEqual([
      'start-redis',
      'starting -> quarantined',
      'REPLICAOF 10.0.0.2 6379',
      'CONFIG SET min-replicas-to-write 0',
      'quarantined -> replica',
    ]);
  });

  it('believes the voters when its own Sentinel has slept', () => {
    const d = new KeeperDriver();
    for (const voter of d.voters.slice(1)) voter.record = { epoch: 7, master: C };
    d.setSibling(C, { role: 'master' });
    d.advanceUntil(() => d.state === 'replica');
    expect(d.redis.follows).toEqual(C);
    expect(d.orders()).not.toContain('REPLICAOF NO ONE');
  });
});

describe('a Redis that ended', () => {
  it('gives the lease back at once, and starts anew as a replica of nobody', () => {
    const d = leading();
    const mark = d.mark;
    for (const voter of d.voters) voter.refuses = 'it voted';
    d.kill('signal 9');
    d.advance(200);
    expect(d.orders(mark)).toEqual([
      'revoke-vip',
      'release a: Redis ended: signal 9',
      'release b: Redis ended: signal 9',
      'release c: Redis ended: signal 9',
      'master -> failed',
      'start-redis',
      'failed -> starting',
      'starting -> quarantined',
      'quarantined -> fenced',
    ]);
  });

  it('rejoins the master elected meanwhile', () => {
    const d = leading();
    d.kill();
    d.advance(20);
    d.setSibling(B, successor(d));
    d.setRecord({ epoch: 1, master: B });
    d.advanceUntil(() => d.state === 'replica');
    expect(d.redis.follows).toEqual(B);
  });
});

describe('a lease that is not renewed', () => {
  it('ends with the VIP revoked and writes paused, in this order, before the voters may elect', () => {
    const d = leading();
    const mark = d.mark;
    for (const voter of d.voters.slice(1)) voter.reachable = false;
    const after = d.advanceUntil(() => d.state === 'fenced');
    expect(after).toBeLessThan(900);
    expect(d.orders(mark)).toEqual(['revoke-vip', 'CLIENT PAUSE 60000 WRITE', 'master -> fenced']);
  });

  it('ends waits for a replica too, where a write is acknowledged only with one', () => {
    const d = leading({ settings: { durability: 'replicated' } });
    const mark = d.mark;
    for (const voter of d.voters) voter.reachable = false;
    d.advanceUntil(() => d.state === 'fenced', 2_000);
    expect(d.orders(mark)).toContain('CLIENT PAUSE 60000 WRITE');
    expect(d.orders(mark)).toContain('CLIENT KILL TYPE normal');
  });

  it('goes on where it was when the voters come back', () => {
    const d = leading();
    for (const voter of d.voters.slice(1)) voter.reachable = false;
    d.advanceUntil(() => d.state === 'fenced');
    for (const voter of d.voters) voter.reachable = true;
    const mark = d.mark;
    d.advanceUntil(() => d.state === 'master');
    expect(d.orders(mark)).toEqual(['CLIENT UNPAUSE', 'fenced -> master']);
    expect(d.writable).toBe(true);
  });

  it('ends in a demotion when nobody comes back', () => {
    const d = leading();
    for (const voter of d.voters.slice(1)) voter.reachable = false;
    d.advanceUntil(() => d.state === 'fenced');
    const mark = d.mark;
    d.advance(5_100);
    expect(d.orders(mark)).toEqual([
      'MULTI',
      'REPLICAOF 127.0.0.1 1',
      'CLIENT KILL TYPE normal',
      'CLIENT KILL TYPE pubsub',
      'EXEC',
      'CLIENT UNPAUSE',
    ]);
    for (const voter of d.voters) voter.reachable = true;
    d.advanceUntil(() => d.state === 'master');
    expect(d.redis.role).toBe('master');
  });
});

describe('a lease in doubt', () => {
  it('ends when a majority refuses, and is not held until it runs out', () => {
    const d = leading();
    for (const voter of d.voters.slice(1)) voter.refuses = 'it voted';
    expect(d.advanceUntil(() => d.state === 'fenced')).toBeLessThan(260);
    expect(d.reason).toBe('1 of 3 voters grant the lease (b: it voted; c: it voted), 2 are needed');
  });

  it('does not reach into another epoch', () => {
    const d = leading();
    const mark = d.mark;
    d.setRecord({ epoch: 1, master: SELF });
    expect(d.state).toBe('fenced');
    d.advanceUntil(() => d.state === 'master', 20);
    expect(d.orders(mark).slice(0, 3)).toEqual(['revoke-vip', 'CLIENT PAUSE 60000 WRITE', 'master -> fenced']);
  });

  it('holds back a promotion that is under way, also while Redis does not answer', () => {
    const d = new KeeperDriver();
    d.advanceUntil(() => d.orders().includes('REPLICAOF NO ONE'));
    d.redis.state = 'busy';
    d.loseReplies = true;
    expect(snapshot(d.keeper, d.now).redis.role).toBe('unknown');
    for (const voter of d.voters) voter.reachable = false;
    d.advance(950);
    expect(d.orders().at(-1)).toBe('CLIENT PAUSE 60000 WRITE');
    d.wake();
    expect(d.writable).toBe(false);
  });
});

describe('a record that names another', () => {
  it('demotes the master, then follows, then gives the lease back', () => {
    const d = leading();
    d.setSibling(B, successor(d));
    const mark = d.mark;
    d.setRecord({ epoch: 1, master: B });
    d.advanceUntil(() => d.state === 'replica');
    const reason = 'the record names 10.0.0.2:6379 in epoch 1';
    expect(d.orders(mark)).toEqual([
      'revoke-vip',
      'CLIENT PAUSE 60000 WRITE',
      'MULTI',
      'REPLICAOF 127.0.0.1 1',
      'CLIENT KILL TYPE normal',
      'CLIENT KILL TYPE pubsub',
      'EXEC',
      'master -> quarantined',
      `release a: ${reason}`,
      `release b: ${reason}`,
      `release c: ${reason}`,
      'CLIENT UNPAUSE',
      'REPLICAOF 10.0.0.2 6379',
      'quarantined -> replica',
    ]);
    expect(d.redis.follows).toEqual(B);
    expect(d.voters.every((voter) => voter.grant === null)).toBe(true);
  });

  it('does not give the lease back before Redis has said that it takes no writes', () => {
    const d = leading();
    d.redis.state = 'busy';
    const mark = d.mark;
    d.setRecord({ epoch: 1, master: B });
    d.advance(500);
    expect(d.orders(mark).filter((each) => each.startsWith('release'))).toEqual([]);
    expect(d.state).toBe('quarantined');
    d.wake();
    d.advance(3);
    expect(d.orders(mark).filter((each) => each.startsWith('release'))).toHaveLength(3);
  });
});
