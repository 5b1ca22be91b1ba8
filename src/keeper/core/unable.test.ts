import { describe, expect, it } from 'vitest';
import { KeeperDriver, leading, successor } from '../../../test/support/keeper-driver.js';
import { B, C, SELF } from '../../../test/support/keeper-fakes.js';

const FULL = 'MISCONF Errors writing to the AOF file: No space left on device';
const REASON = `Redis takes no writes: ${FULL}`;

function fillDisk(d: KeeperDriver): void {
  d.redis.refuses.set('PING', FULL);
}

function grants(d: KeeperDriver): number {
  return d.voters.filter(({ grant }) => grant !== null && grant.until > d.now).length;
}

describe('a master that refuses writes since its disk is full', () => {
  it('gives the lease back after hang_after, when it takes no writes', () => {
    const d = leading();
    const mark = d.mark;
    fillDisk(d);
    const after = d.advanceUntil(() => d.state === 'fenced');
    expect(after).toBeGreaterThanOrEqual(1_000);
    expect(after).toBeLessThan(1_200);
    expect(d.reason).toBe(`it does not lead: ${REASON}`);
    d.advance(5);
    expect(d.orders(mark)).toEqual([
      'revoke-vip',
      'CLIENT PAUSE 60000 WRITE',
      'master -> fenced',
      `release a: ${REASON}`,
      `release b: ${REASON}`,
      `release c: ${REASON}`,
    ]);
  });

  it('does not want it back while that lasts, and leads again when it is over', () => {
    const d = leading();
    fillDisk(d);
    d.advance(3_000);
    // Nobody is linked to it any more once it has been made a replica of nobody.
    d.setSibling(B, { linkUp: false });
    d.setSibling(C, { linkUp: false });
    d.advance(20_000);
    expect(d.state).toBe('fenced');
    expect(grants(d)).toBe(0);
    expect(d.redis.role).toBe('replica');
    d.redis.refuses.clear();
    d.advanceUntil(() => d.state === 'master', 3_000);
  });

  it('follows the one that was elected, also when room for a copy comes late', () => {
    const d = leading();
    fillDisk(d);
    d.save = { why: 'no room is left' };
    d.advance(2_000);
    d.setSibling(B, { ...successor(d), secondOffset: d.redis.offset - 10 });
    d.setRecord({ epoch: 1, master: B });
    d.advance(40_000);
    expect(d.redis).toMatchObject({ role: 'replica', follows: { host: '127.0.0.1' } });
    expect(d.reason).toMatch(/saving it aside failed \d+ times: no room is left$/);
    d.save = { path: '/var/lib/tanist/saved.rdb' };
    d.redis.refuses.clear();
    d.advanceUntil(() => d.state === 'replica', 11_000);
    expect(d.redis.follows).toEqual(B);
  });

  it.each([
    ['no other lives', { alive: false }],
    ['the disks of all others are full, too', { diskFails: true }],
    ['no other is linked to it', { linkUp: false }],
    ['all others hold something else', { replId: 'x'.repeat(40) }],
  ])('stays where it is when %s', (_, others) => {
    const d = leading();
    d.setSibling(B, others);
    d.setSibling(C, others);
    fillDisk(d);
    d.advance(30_000);
    expect(d.state).toBe('master');
    expect(grants(d)).toBe(3);
  });

  it('takes the lease again when the other that could have led is gone', () => {
    const d = leading();
    d.setSibling(C, { alive: false });
    fillDisk(d);
    d.advanceUntil(() => d.state === 'fenced');
    d.advance(500);
    d.setSibling(B, { alive: false });
    d.advanceUntil(() => d.state === 'master', 3_000);
    d.advance(10_000);
    expect(d.state).toBe('master');
  });

  it('stays when it is over sooner', () => {
    const d = leading();
    const mark = d.mark;
    fillDisk(d);
    d.advance(900);
    d.redis.refuses.clear();
    d.advance(10_000);
    expect(d.orders(mark)).toEqual([]);
    expect(d.logged()).toEqual(expect.arrayContaining([REASON, 'Redis takes writes again']));
  });

  it('stays in maintenance, when nobody else would be elected', () => {
    const d = leading();
    d.tellRecord({ epoch: 0, master: SELF }, true);
    fillDisk(d);
    d.advance(10_000);
    expect(d.state).toBe('master');
  });
});

it('is not fit for the VIP of a pair while its peer could do better', () => {
  const d = new KeeperDriver({ settings: { mode: 'pair', siblings: [B] }, record: null });
  d.input({ on: 'pair', state: 'master' });
  d.advanceUntil(() => d.state === 'master');
  fillDisk(d);
  d.advance(1_500);
  expect(d.vipUntil).toBeNull();
  d.redis.refuses.clear();
  d.advance(500);
  expect(d.vipUntil).not.toBeNull();
});
