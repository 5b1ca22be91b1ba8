import { describe, expect, it } from 'vitest';
import { KeeperDriver, leading, successor } from '../../../test/support/keeper-driver.js';
import { B, SELF } from '../../../test/support/keeper-fakes.js';
import { snapshot } from './snapshot.js';

describe('an agent that starts beside a running Redis', () => {
  function adopting(role: 'master' | 'replica', record = { epoch: 0, master: SELF }): KeeperDriver {
    const d = new KeeperDriver({ running: true, record });
    d.redis.role = role;
    d.watchesWrites = false;
    return d;
  }

  it('pauses a master at once, and lets it write when the lease is held', () => {
    const d = adopting('master');
    d.advanceUntil(() => d.redis.pausedUntil > 0, 20);
    d.watchesWrites = true;
    expect(d.advanceUntil(() => d.state === 'master')).toBeLessThan(20);
    expect(d.writable).toBe(true);
    expect(d.orders()).toEqual([
      'CLIENT PAUSE 60000 WRITE',
      'starting -> quarantined',
      'quarantined -> fenced',
      'persist master 0',
      'CONFIG SET min-replicas-max-lag 2',
      'CONFIG SET min-replicas-to-write 0',
      'CLIENT UNPAUSE',
      'fenced -> master',
    ]);
  });

  it('demotes a master that nobody confirms', () => {
    const d = adopting('master');
    for (const voter of d.voters) voter.reachable = false;
    d.advance(6_000);
    expect([d.state, d.redis.role]).toEqual(['quarantined', 'replica']);
    expect(d.redis.pausedUntil).toBe(0);
  });

  it('leaves a replica as it is, and lifts a pause that an earlier agent left behind', () => {
    const d = adopting('replica', { epoch: 2, master: B });
    d.redis.follows = B;
    d.redis.linkUp = true;
    d.redis.pausedUntil = 60_000;
    d.advanceUntil(() => d.state === 'replica');
    d.advance(2_000);
    expect(d.orders()).toEqual([
      'CLIENT UNPAUSE',
      'starting -> quarantined',
      'CONFIG SET min-replicas-to-write 0',
      'persist replica 2',
      'quarantined -> replica',
    ]);
    expect(d.redis.pausedUntil).toBe(0);
  });
});

describe('a Redis that ends again and again', () => {
  it('is started ever later', () => {
    const d = leading();
    const starts: number[] = [];
    for (let i = 0; i < 9; i++) {
      d.kill();
      d.advanceUntil(() => d.state === 'failed');
      const endedAt = d.now;
      const mark = d.mark;
      d.advanceUntil(() => d.orders(mark).includes('start-redis'));
      starts.push(d.now - endedAt);
      d.advance(50);
    }
    expect(starts[0]).toBeLessThan(110);
    expect(starts.at(-1)).toBeGreaterThan(2_400);
    expect(Math.max(...starts)).toBeLessThanOrEqual(5_001);
    d.advance(11_000);
    d.kill();
    d.advanceUntil(() => d.state === 'failed');
    const mark = d.mark;
    expect(d.advanceUntil(() => d.orders(mark).includes('start-redis'))).toBeLessThan(110);
  });

  it('is not started in maintenance', () => {
    const d = leading();
    d.tellRecord({ epoch: 0, master: SELF }, true);
    d.kill();
    const mark = d.mark;
    d.advance(60_000);
    expect(d.orders(mark)).not.toContain('start-redis');
    expect([d.state, d.reason]).toEqual(['failed', 'Redis ended: signal 9; it is not started again in maintenance']);
    d.tellRecord({ epoch: 0, master: SELF }, false);
    d.advanceUntil(() => d.state === 'master');
  });

  it('tells why it cannot be started', () => {
    const d = new KeeperDriver();
    d.startFails = 'redis-server: not found';
    d.advance(20_000);
    expect([d.state, d.reason]).toEqual(['failed', 'Redis ended: it cannot be started: redis-server: not found']);
    expect(d.orders().filter((each) => each === 'start-redis').length).toBeLessThan(15);
  });
});

describe('an attached Redis', () => {
  it('is neither started nor ended', () => {
    const d = new KeeperDriver({ settings: { attach: true } });
    d.advance(5_000);
    expect(d.state).toBe('starting');
    d.redis.state = 'up';
    d.connect();
    d.advanceUntil(() => d.state === 'master');
    d.redis.state = 'gone';
    d.disconnect('connection refused', true);
    expect(d.state).toBe('failed');
    d.advance(60_000);
    expect(d.orders()).not.toContain('start-redis');
    d.watchesWrites = false;
    d.redis.run += 1;
    d.redis.state = 'up';
    d.connect();
    d.advanceUntil(() => d.redis.pausedUntil > d.now, 10);
    d.watchesWrites = true;
    d.advanceUntil(() => d.state === 'master');
    d.redis.state = 'stopped';
    d.advance(5_000);
    d.setRecord({ epoch: 1, master: B });
    d.advance(60_000);
    expect(d.orders()).not.toContain('kill-redis');
  });
});

describe('a Redis that refuses our login', () => {
  it('is complained of once for the same words, and shown until it lets us in', () => {
    const d = new KeeperDriver({ settings: { attach: true } });
    for (let time = 0; time < 3; time++) d.input({ on: 'redis-login-refused', why: 'in words of its own' });
    const reason = /^Redis refuses our login \(in words of its own\): redis\.password or redis\.user /;
    expect([d.state, d.reason]).toEqual(['starting', expect.stringMatching(reason)]);
    expect(d.logged('warning')).toEqual([expect.stringMatching(reason)]);
    d.input({ on: 'redis-down', why: 'reset', refused: false });
    expect(d.reason).toBe('Redis does not answer yet (reset)');
  });
});

describe('an attached Redis that was lost without a refusal', () => {
  it('has ended when its process is seen to be gone', () => {
    const d = new KeeperDriver({ settings: { attach: true } });
    d.redis.state = 'up';
    d.connect();
    d.advanceUntil(() => d.state === 'master');
    const mark = d.mark;
    d.redis.state = 'gone';
    d.disconnect('the connection was reset', false);
    d.advance(2);
    expect([d.state, d.reason]).toEqual(['failed', 'Redis ended: its process is gone']);
    expect(d.orders(mark)).toContain('release c: Redis ended: its process is gone');
  });
});

describe('an agent that stops', () => {
  it('demotes its master and gives the lease back', () => {
    const d = leading();
    const mark = d.mark;
    d.input({ on: 'stop' });
    const orders = [
      'revoke-vip',
      'CLIENT PAUSE 60000 WRITE',
      'MULTI',
      'REPLICAOF 127.0.0.1 1',
      'CLIENT KILL TYPE normal',
      'CLIENT KILL TYPE pubsub',
      'EXEC',
    ];
    expect(d.orders(mark)).toEqual(orders);
    d.advance(2);
    expect(d.orders(mark)).toEqual([
      ...orders,
      'release a: the agent stops',
      'release b: the agent stops',
      'release c: the agent stops',
      'master -> stopped',
    ]);
    expect(d.redis.role).toBe('replica');
  });

  it('does not give the lease back before Redis has said that it takes no writes', () => {
    const d = leading({ settings: { ttl_ms: 5_000 } });
    d.redis.state = 'stopped';
    const mark = d.mark;
    d.input({ on: 'stop' });
    d.advance(2_000);
    expect(d.orders(mark).filter((each) => each.startsWith('release'))).toEqual([]);
    expect(d.orders(mark).at(-1)).toBe('master -> stopped');
    expect(d.logged('warning').at(-1)).toMatch(/^The lease ends by itself/);
  });

  it('gives back a lease of the record before, too: the master has just been handed over', () => {
    const d = leading();
    d.input({ on: 'hand-over', deadline_ms: 5_000 });
    d.advance(20);
    d.setSibling(B, successor(d));
    const mark = d.mark;
    d.setRecord({ epoch: 1, master: B });
    d.input({ on: 'stop' });
    d.advance(50);
    expect(d.orders(mark).filter((each) => each.startsWith('release'))).toEqual([
      'release a: the record names 10.0.0.2:6379 in epoch 1',
      'release b: the record names 10.0.0.2:6379 in epoch 1',
      'release c: the record names 10.0.0.2:6379 in epoch 1',
    ]);
    // And until the next agent comes its Redis is a replica of the new master.
    expect(d.orders(mark).slice(-2)).toEqual(['quarantined -> replica', 'replica -> stopped']);
    expect(d.redis.follows).toEqual(B);
    expect(d.voters.every(({ grant }) => grant === null)).toBe(true);
  });

  it('leaves a master in maintenance where it is: its writes wait for the next agent', () => {
    const d = leading();
    d.tellRecord({ epoch: 0, master: SELF }, true);
    d.input({ on: 'stop' });
    expect(d.redis.role).toBe('master');
    expect(d.writable).toBe(false);
  });

  it('leaves a replica alone', () => {
    const d = new KeeperDriver({ record: { epoch: 1, master: B } });
    d.setSibling(B, { role: 'master' });
    d.advanceUntil(() => d.state === 'replica');
    d.advance(1_500);
    const mark = d.mark;
    d.input({ on: 'stop' });
    expect(d.orders(mark)).toEqual(['replica -> stopped']);
  });
});

describe('min-replicas-to-write', () => {
  const WELL = 'ip=10.0.0.2,port=6379,state=online,offset=1000,lag=0';

  it('is raised when a replica has been well for a while, and lowered at once when none is', () => {
    const d = leading();
    expect(d.redis.minReplicas).toBe(0);
    d.redis.replicas = [WELL];
    d.advance(900);
    expect(d.redis.minReplicas).toBe(0);
    d.advance(2_000);
    expect(d.redis.minReplicas).toBe(1);
    d.redis.replicas = [];
    d.advance(250);
    expect(d.redis.minReplicas).toBe(0);
    expect(snapshot(d.keeper, d.now).redis).toMatchObject({ minReplicas: 0, healthyReplicas: 0 });
  });

  it('does not count a replica that lags or is not synchronised', () => {
    const d = leading();
    d.redis.replicas = [WELL.replace('lag=0', 'lag=2'), WELL.replace('online', 'wait_bgsave')];
    d.advance(5_000);
    expect(d.redis.minReplicas).toBe(0);
  });

  it('is never lowered with durability replicated', () => {
    const d = leading({ settings: { durability: 'replicated' } });
    expect(d.redis.minReplicas).toBe(1);
    d.advance(10_000);
    expect(d.redis.minReplicas).toBe(1);
  });

  it('does not turn away what comes to a new master before its replicas: writes wait for one in the pause, for a moment', () => {
    const adopting = (): KeeperDriver => {
      const d = new KeeperDriver({ settings: { durability: 'replicated' }, running: true });
      d.redis.role = 'master';
      d.watchesWrites = false;
      d.advanceUntil(() => d.state === 'master');
      return d;
    };
    const served = adopting();
    expect(served.writable).toBe(false);
    served.advance(100);
    expect(served.writable).toBe(false);
    // Redis would refuse a write for want of replicas before it looks at the pause.
    expect(served.redis.minReplicas).toBe(0);
    const mark = served.mark;
    served.redis.replicas = [WELL];
    served.advance(30);
    expect(served.writable).toBe(true);
    expect(served.orders(mark).filter((each) => /min-replicas-to-write|UNPAUSE/.test(each))).toEqual([
      'CONFIG SET min-replicas-to-write 1',
      'CLIENT UNPAUSE',
    ]);
    served.redis.replicas = [];
    served.advance(1_000);
    expect(served.redis.pausedUntil).toBe(0);
    const alone = adopting();
    alone.advance(520);
    expect([alone.redis.pausedUntil, alone.redis.minReplicas]).toEqual([0, 1]);
  });

  it('is complained of once when Redis refuses it', () => {
    const d = new KeeperDriver();
    d.redis.refuses.set('CONFIG', 'NOPERM no permission');
    d.advance(10_000);
    d.redis.replicas = [WELL];
    d.advance(10_000);
    expect(d.state).toBe('master');
    expect(d.logged('warning').filter((text) => text.includes('min-replicas'))).toHaveLength(1);
  });
});

describe('what is remembered', () => {
  it('is written down when the role turns, every few seconds while it changes, and when Redis ends', () => {
    const d = leading();
    const persisted = (mark: number) => d.orders(mark).filter((each) => each.startsWith('persist')).length;
    let mark = d.mark;
    d.advance(20_000);
    expect(persisted(mark)).toBe(0);
    mark = d.mark;
    for (let i = 0; i < 200; i++) {
      d.redis.offset += 10;
      d.advance(100);
    }
    expect(persisted(mark)).toBeGreaterThanOrEqual(3);
    expect(persisted(mark)).toBeLessThanOrEqual(5);
    d.redis.offset += 10;
    d.advance(1_000);
    mark = d.mark;
    d.kill();
    d.advance(3);
    expect(d.orders(mark)[0]).toBe('persist master 0');
    expect(d.keeper.persisted).toMatchObject({ role: 'master', offset: d.redis.offset, keys: 10 });
  });
});
