import { describe, expect, it } from 'vitest';
import { KeeperDriver, leading, successor } from '../../../test/support/keeper-driver.js';
import { B, C, SELF } from '../../../test/support/keeper-fakes.js';

describe('a Redis that does not answer', () => {
  it('is given up after hang_after when its process is stopped', () => {
    const d = leading();
    const mark = d.mark;
    d.redis.state = 'stopped';
    const after = d.advanceUntil(() => d.state === 'failed');
    expect(after).toBeGreaterThanOrEqual(1_000 - 100);
    expect(after).toBeLessThan(1_150);
    expect(d.reason).toMatch(/^Redis hangs: no answer for 10\d\d ms, its process is stopped by a signal$/);
    expect(d.orders(mark).map((each) => each.replace(/: Redis.*/, ''))).toEqual([
      'revoke-vip',
      'CLIENT PAUSE 60000 WRITE',
      'release a',
      'release b',
      'release c',
      'master -> failed',
    ]);
  });

  it('is not what a master is that answers as it should', () => {
    const d = leading();
    d.delay_ms = 60;
    for (let i = 0; i < 1_000; i++) {
      d.advance(1);
      expect(d.reason).toBe('3 of 3 voters grant the lease, 2 are needed');
    }
  });

  it('keeps its lease while it burns CPU, until busy_limit', () => {
    const d = leading({ settings: { busyLimit_ms: 5_000 } });
    d.redis.state = 'busy';
    d.advance(4_500);
    expect(d.state).toBe('master');
    expect(d.reason).toMatch(/^Redis is busy: no answer for \d+ ms; 3 of 3 voters grant the lease, 2 are needed$/);
    expect(d.trulyLeasedUntil).toBeGreaterThan(d.now);
    const after = d.advanceUntil(() => d.state === 'failed');
    expect(after).toBeLessThan(800);
    expect(d.reason).toMatch(/^Redis is busy: no answer for 50\d\d ms, more than 5000 ms$/);
  });

  it('is busy, too, when it says so', () => {
    const d = leading({ settings: { busyLimit_ms: 3_000 } });
    d.redis.refuses.set('', 'BUSY Redis is busy running a script.');
    d.advance(2_500);
    expect(d.state).toBe('master');
    d.redis.refuses.clear();
    d.advance(2_000);
    expect(d.state).toBe('master');
    d.redis.refuses.set('', 'BUSY Redis is busy running a script.');
    d.advance(3_500);
    expect(d.state).toBe('failed');
  });

  it('goes on where it was when it wakes and nobody else leads', () => {
    const d = leading();
    d.redis.state = 'stopped';
    d.advanceUntil(() => d.state === 'failed');
    d.advance(30_000);
    expect(d.story()).not.toContain('kill-redis');
    d.wake();
    expect(d.writable).toBe(false);
    d.advanceUntil(() => d.state === 'master', 3_000);
    expect(d.writable).toBe(true);
    expect(d.redis.role).toBe('master');
  });

  it('is ended when it hangs and another leads: what waits in its sockets must not be written', () => {
    const d = leading();
    d.redis.state = 'stopped';
    d.advanceUntil(() => d.state === 'failed');
    const mark = d.mark;
    d.setSibling(B, successor(d));
    d.setRecord({ epoch: 1, master: B });
    d.advanceUntil(() => d.state === 'replica');
    expect(d.orders(mark).slice(0, 2)).toEqual(['kill-redis', 'start-redis']);
    expect(d.redis.follows).toEqual(B);
  });

  it('is not ended in maintenance', () => {
    const d = leading();
    d.tellRecord({ epoch: 0, master: SELF }, true);
    d.redis.state = 'stopped';
    d.advanceUntil(() => d.state === 'failed');
    d.tellRecord({ epoch: 1, master: B }, true);
    d.advance(60_000);
    expect(d.story()).not.toContain('kill-redis');
  });

  it('is started anew when it is a replica, after a long while', () => {
    const d = new KeeperDriver({ record: { epoch: 1, master: B } });
    d.setSibling(B, { role: 'master' });
    d.advanceUntil(() => d.state === 'replica');
    d.advance(1_000);
    d.redis.state = 'stopped';
    d.advance(20_000);
    expect(d.state).toBe('failed');
    expect(d.story()).not.toContain('kill-redis');
    d.advance(15_000);
    expect(d.story()).toContain('kill-redis');
    expect(d.state).toBe('replica');
  });

  it('is asked again when replies were given up on the way', () => {
    const d = leading();
    // The runner gives a request up after ten seconds: its reply never comes.
    d.loseReplies = true;
    d.advance(900);
    expect(d.state).toBe('master');
    d.advance(20_000);
    expect(d.state).toBe('failed');
    d.loseReplies = false;
    d.advanceUntil(() => d.state === 'master', 3_000);
  });

  it('is not given up for a connection that was lost and comes back', () => {
    const d = leading();
    const mark = d.mark;
    d.disconnect('the connection was reset', false);
    d.later(300, () => d.connect());
    d.advance(3_000);
    expect(d.state).toBe('master');
    expect(d.orders(mark)).toEqual([]);
  });

  it('is gone when its port refuses, before its process is seen to end', () => {
    const d = leading();
    const mark = d.mark;
    d.redis.state = 'gone';
    d.disconnect('connection refused', true);
    expect(d.orders(mark)[0]).toBe('revoke-vip');
    expect(d.orders(mark)).toContain('release b: Redis ended: connection refused');
    expect(d.state).toBe('failed');
    d.advanceUntil(() => d.state === 'master');
  });
});

describe('a Redis that runs and cannot be reached', () => {
  it('is ended before another may lead', () => {
    const d = leading();
    const mark = d.mark;
    d.unreachable = true;
    d.disconnect('max number of clients reached', false);
    d.advanceUntil(() => d.orders(mark).includes('kill-redis'), 1_200);
    expect(d.orders(mark)).toEqual(['revoke-vip', 'kill-redis', 'master -> failed']);
    d.advance(5);
    expect(d.orders(mark)).toContain('release b: Redis ended: signal 9');
  });

  it('is left alone when nobody else could lead', () => {
    const d = leading();
    d.setSibling(B, { alive: false });
    d.setSibling(C, { alive: false });
    d.unreachable = true;
    d.watchesWrites = false;
    d.disconnect('max number of clients reached', false);
    d.advance(10_000);
    expect(d.state).toBe('master');
    expect(d.reason).toMatch(/^Redis hangs: .*; it cannot be reached, and nobody else could lead; 3 of 3 voters grant/);
    expect(d.vipUntil ?? 0).toBeGreaterThan(d.now);
    d.setSibling(B);
    d.advance(10);
    expect(d.orders()).toContain('kill-redis');
  });

  it('is ended before another may lead also when it was seen to be stopped: it may wake', () => {
    const d = leading();
    const mark = d.mark;
    d.redis.state = 'stopped';
    d.unreachable = true;
    d.disconnect('the connection was reset', false);
    d.advanceUntil(() => d.state === 'failed', 1_200);
    expect(d.orders(mark)).toEqual(['revoke-vip', 'kill-redis', 'master -> failed']);
  });

  it('is ended each time', () => {
    const d = leading();
    d.unreachable = true;
    d.disconnect('max number of clients reached', false);
    d.advanceUntil(() => d.state === 'failed', 1_200);
    d.unreachable = false;
    d.advanceUntil(() => d.state === 'master', 1_000);
    const mark = d.mark;
    d.unreachable = true;
    d.disconnect('max number of clients reached', false);
    d.advance(1_200);
    expect(d.orders(mark)).toContain('kill-redis');
  });
});

describe('an agent that slept', () => {
  it('does not take its own silence for that of its Redis', () => {
    const d = leading();
    const mark = d.mark;
    d.loseReplies = true;
    d.advanceUntil(() => d.keeper.redis.pingSentAt !== null);
    d.loseReplies = false;
    d.skip(4_000);
    d.advanceUntil(() => d.state === 'master', 2_000);
    expect(d.orders(mark)).toEqual([
      'revoke-vip',
      'CLIENT PAUSE 60000 WRITE',
      'master -> fenced',
      'CLIENT UNPAUSE',
      'fenced -> master',
    ]);
  });
});
