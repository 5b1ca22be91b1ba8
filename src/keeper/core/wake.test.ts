import { describe, expect, it } from 'vitest';
import { KeeperDriver, leading, successor } from '../../../test/support/keeper-driver.js';
import { B, C, sibling } from '../../../test/support/keeper-fakes.js';

const KILL = 'kill-redis';

describe('a keeper that was not run for a while', () => {
  it('does not take its own sleep for a silence of Redis', () => {
    const d = leading();
    d.advance(95);
    const mark = d.mark;
    // The answers wait in the socket until the keeper has taken its step.
    d.delay_ms = 30;
    d.watchesWrites = false;
    d.now += 5_300;
    d.input({ on: 'tick' });
    expect(d.state).not.toBe('failed');
    expect(d.reason).not.toMatch(/hangs/);
    d.advanceUntil(() => d.state === 'master', 2_000);
    expect(d.story(mark)).not.toContain(KILL);
    expect(d.logged('warning')).toContainEqual(expect.stringMatching(/^The keeper did not run for 5[23]\d\d ms/));
  });

  it('does not end a Redis that another has taken the place of, but makes it follow', () => {
    const d = leading();
    const ping = d.mark;
    d.advanceUntil(() => d.log.slice(ping).some(({ effect }) => effect.do === 'send' && effect.tag === 'ping'));
    const mark = d.mark;
    d.watchesWrites = false;
    d.delay_ms = 30;
    d.siblings.splice(0, 1, sibling(B, successor(d)));
    d.now += 5_300;
    d.setRecord({ epoch: 1, master: B });
    d.advanceUntil(() => d.state === 'replica', 3_000);
    expect(d.story(mark)).not.toContain(KILL);
    expect(d.redis.follows).toEqual(B);
  });

  it('counts a silence afresh that goes on', () => {
    const d = leading();
    d.redis.state = 'stopped';
    d.advance(600);
    d.watchesWrites = false;
    d.skip(5_000);
    expect(d.state).not.toBe('failed');
    const after = d.advanceUntil(() => d.state === 'failed');
    expect(after).toBeGreaterThan(900);
    expect(after).toBeLessThan(1_200);
  });

  it('has lost its lease all the same', () => {
    const d = leading();
    d.watchesWrites = false;
    const mark = d.mark;
    d.now += 3_000;
    d.input({ on: 'tick' });
    expect(d.orders(mark).slice(0, 2)).toEqual(['revoke-vip', 'CLIENT PAUSE 60000 WRITE']);
    expect(d.state).toBe('fenced');
  });

  it('waits for news of the others from then on', () => {
    const d = new KeeperDriver();
    d.setSibling(B, { alive: false });
    d.setSibling(C, { alive: false });
    d.advance(500);
    expect(d.reason).toMatch(/is waited for/);
    d.skip(5_000);
    d.advance(1_500);
    expect([d.state, d.redis.role]).toEqual(['fenced', 'replica']);
    d.advanceUntil(() => d.state === 'master', 1_000);
  });
});

describe('a keeper whose steps are late again and again', () => {
  it('counts a silence without the delays', () => {
    const d = leading();
    d.redis.state = 'stopped';
    const began = d.now;
    while (d.state !== 'failed' && d.now < began + 20_000) {
      d.advance(60);
      d.skip(200);
    }
    expect(d.state).toBe('failed');
    expect(d.now - began).toBeGreaterThan(1_300);
  });

  it('goes on as before when they are small', () => {
    const d = leading();
    const mark = d.mark;
    for (let i = 0; i < 50; i++) {
      d.advance(40);
      d.skip(45);
    }
    expect(d.orders(mark)).toEqual([]);
  });
});
