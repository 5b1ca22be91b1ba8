import { describe, expect, it } from 'vitest';
import { leading, successor } from '../../../test/support/keeper-driver.js';
import { B, SELF } from '../../../test/support/keeper-fakes.js';
import { snapshot } from './snapshot.js';

describe('a hand-over', () => {
  it('asks for grants that let another be elected, and tells when a majority has given them', () => {
    const d = leading();
    const mark = d.mark;
    d.input({ on: 'hand-over', deadline_ms: 5_000 });
    expect(snapshot(d.keeper, d.now).handOver).toEqual({ left_ms: 5_000, ready: false });
    const asked = d.log.slice(mark).flatMap(({ effect }) => (effect.do === 'ask-lease' ? [effect] : []));
    expect(asked.map(({ voter, handOver }) => [voter, handOver])).toEqual([
      ['a', true],
      ['b', true],
      ['c', true],
    ]);
    d.advance(5);
    expect(snapshot(d.keeper, d.now).handOver?.ready).toBe(true);
    expect(d.state).toBe('master');
    d.advance(2_000);
    expect(d.state).toBe('master');
  });

  it('keeps lease and VIP until the record changes, then gives both away', () => {
    const d = leading();
    d.input({ on: 'hand-over', deadline_ms: 5_000 });
    d.advance(20);
    const mark = d.mark;
    d.setSibling(B, successor(d));
    d.setRecord({ epoch: 1, master: B });
    d.advanceUntil(() => d.state === 'replica', 50);
    expect(d.orders(mark)[0]).toBe('revoke-vip');
    expect(d.voters.every(({ grant }) => grant === null)).toBe(true);
    expect(snapshot(d.keeper, d.now).handOver).toBeNull();
    // And back again at once.
    for (const voter of d.voters) voter.grant = null;
    d.setRecord({ epoch: 2, master: SELF });
    d.advanceUntil(() => d.state === 'master', 100);
  });

  it('demotes only when the VIP has left, its writes waiting meanwhile: who comes back by it is not refused', () => {
    const d = leading();
    d.input({ on: 'vip', held: true });
    d.input({ on: 'hand-over', deadline_ms: 5_000 });
    d.advance(20);
    const mark = d.mark;
    d.setSibling(B, successor(d));
    d.setRecord({ epoch: 1, master: B });
    d.advance(10);
    expect(d.orders(mark).slice(0, 3)).toEqual(['revoke-vip', 'CLIENT PAUSE 60000 WRITE', 'master -> quarantined']);
    expect(d.orders(mark)).not.toContain('REPLICAOF 127.0.0.1 1');
    d.input({ on: 'vip', held: false });
    d.advance(2);
    expect(d.orders(mark)).toContain('REPLICAOF 127.0.0.1 1');
    // A router that does not answer is not waited for.
    const other = leading();
    other.input({ on: 'vip', held: true });
    other.setSibling(B, successor(other));
    other.setRecord({ epoch: 1, master: B });
    other.advance(40);
    expect(other.orders()).toContain('REPLICAOF 127.0.0.1 1');
  });

  it('lets no write be refused for want of the replicas that go to the next master', () => {
    const d = leading({ settings: { durability: 'replicated' } });
    expect(d.redis.minReplicas).toBe(1);
    d.input({ on: 'hand-over', deadline_ms: 1_000 });
    d.advance(20);
    expect(d.redis.minReplicas).toBe(0);
    d.advance(1_100);
    expect([d.state, d.redis.minReplicas]).toEqual(['master', 1]);
    d.input({ on: 'hand-over', deadline_ms: 1_000 });
    d.advance(20);
    d.setSibling(B, successor(d));
    d.setRecord({ epoch: 1, master: B });
    d.advanceUntil(() => d.state === 'replica', 100);
    expect(d.redis.minReplicas).toBe(1);
  });

  it('ends by itself: grants are renewed without the consent', () => {
    const d = leading();
    d.input({ on: 'hand-over', deadline_ms: 1_000 });
    d.advance(999);
    expect(snapshot(d.keeper, d.now).handOver).not.toBeNull();
    const mark = d.mark;
    d.advance(2);
    expect(snapshot(d.keeper, d.now).handOver).toBeNull();
    const asked = d.log.slice(mark).flatMap(({ effect }) => (effect.do === 'ask-lease' ? [effect.handOver] : []));
    expect(asked).toEqual([false, false, false]);
    d.advance(5);
    expect(snapshot(d.keeper, d.now).lease?.voters.some(({ consents }) => consents)).toBe(false);
    expect(d.state).toBe('master');
  });

  it('does not repeat an order to lift an earlier pause', () => {
    const d = leading({ settings: { hangAfter_ms: 10_000 } });
    for (const voter of d.voters.slice(1)) voter.reachable = false;
    d.advanceUntil(() => d.state === 'fenced');
    for (const voter of d.voters) voter.reachable = true;
    d.advance(1);
    d.loseReplies = true;
    d.advanceUntil(() => d.state === 'master');
    d.input({ on: 'hand-over', deadline_ms: 5_000 });
    const mark = d.mark;
    // It answers, but for that one order.
    d.advance(1);
    d.loseReplies = false;
    d.advance(3_000);
    expect(d.state).toBe('master');
    expect(d.orders(mark)).not.toContain('CLIENT UNPAUSE');
  });

  it('is refused where nothing leads', () => {
    const d = leading();
    for (const voter of d.voters.slice(1)) voter.reachable = false;
    d.advanceUntil(() => d.state === 'fenced');
    d.input({ on: 'hand-over', deadline_ms: 1_000 });
    expect(snapshot(d.keeper, d.now).handOver).toBeNull();
  });

  it('does not lift a pause that may be the switchover’s own', () => {
    const d = leading();
    d.input({ on: 'hand-over', deadline_ms: 3_000 });
    for (const voter of d.voters.slice(1)) voter.reachable = false;
    d.advanceUntil(() => d.state === 'fenced');
    for (const voter of d.voters) voter.reachable = true;
    const mark = d.mark;
    d.advance(1_000);
    expect([d.state, d.reason]).toEqual(['fenced', 'the lease was lost while another was to take over']);
    expect(d.orders(mark)).toEqual([]);
    d.input({ on: 'hand-over-over' });
    d.advanceUntil(() => d.state === 'master', 20);
    expect(d.orders(mark)).toEqual(['CLIENT UNPAUSE', 'fenced -> master']);
    expect(d.keeper.record).toEqual({ epoch: 0, master: SELF });
  });
});
