/** Addresses that are lent: a tracked item with a deadline, at priority 255. */
import { describe, expect, it } from 'vitest';
import { BenchRouter, instanceA } from '../../../test/support/bench-router.js';

const ITEM = 'lease:g';
const tracks = [{ id: ITEM, weight: 0, reverse: false }];
const ANNOUNCED = [...Array(5).fill('announce'), 'probe'];

function bench(): BenchRouter {
  const config = instanceA({ version: 3, interval_ms: 100, priority: 255, leased: true, tracks, vipLifetime_s: 2 });
  const b = new BenchRouter(config);
  b.feed({ on: 'track', id: ITEM, status: 'down', value: 0, reason: 'nothing has been granted yet' });
  return b.start();
}

function grant(b: BenchRouter, for_ms: number): void {
  b.feed({ on: 'track', id: ITEM, status: 'up', value: 0, until: b.now + for_ms });
}

/** A router that holds the loan, its effects taken. */
function master(for_ms: number): BenchRouter {
  const b = bench();
  grant(b, for_ms);
  b.order();
  return b;
}

describe('addresses that are lent', () => {
  it('are not taken before they are granted', () => {
    const b = bench();
    expect(b.order()).toEqual(['notify A FAULT']);
    expect(b.reason()).toBe('lease g is down: nothing has been granted yet');
    b.pass(60_000);
    expect(b.order()).toEqual([]);
  });

  it('are taken in the same step: advert, address, announcement', () => {
    const b = bench();
    b.order();
    grant(b, 1000);
    expect(b.state()).toBe('MASTER');
    expect(b.order()).toEqual(['send 255', 'claim', ...ANNOUNCED, 'notify A MASTER']);
  });

  it('are given back in the same step: address, then priority 0', () => {
    const b = master(1000);
    b.feed({ on: 'track', id: ITEM, status: 'down', value: 0, reason: 'handed over to b' });
    expect(b.order()).toEqual(['release', 'send 0', 'notify A FAULT']);
    expect(b.reason()).toBe('lease g is down: handed over to b');
  });

  it('end at the deadline when nobody renews', () => {
    const b = master(1000);
    b.pass(999);
    expect(b.state()).toBe('MASTER');
    b.order();
    b.pass(1);
    expect(b.order()).toEqual(['release', 'send 0', 'notify A FAULT']);
    expect(b.reason()).toBe('lease g is down: it ended without being renewed');
  });

  it('stay without a word while they are renewed', () => {
    const b = master(1000);
    b.pass(6000 - 1);
    const words = master(1000);
    for (let i = 0; i < 40; i++) {
      words.pass(250);
      grant(words, 1000);
    }
    expect(words.state()).toBe('MASTER');
    expect(words.take('notify')).toEqual([]);
    expect(b.state()).toBe('FAULT');
  });

  it('are granted again after they ended', () => {
    const b = master(100);
    b.pass(500);
    grant(b, 1000);
    expect(b.state()).toBe('MASTER');
  });

  it('are not taken by a grant that comes too late', () => {
    const b = bench();
    b.order();
    grant(b, 0);
    expect(b.state()).toBe('FAULT');
    expect(b.order()).toEqual([]);
  });

  // A router that was frozen: every kind of input must find the addresses gone.
  it.each([
    ['a packet', (b: BenchRouter) => b.hear({ priority: 100 })],
    ['a conflict', (b: BenchRouter) => b.feed({ on: 'conflict', ip: '10.0.0.100', mac: '02:00:00:00:00:09' })],
    ['a link', (b: BenchRouter) => b.feed({ on: 'link', interface: 'eth0', up: true })],
    ['a lost address', (b: BenchRouter) => b.feed({ on: 'address-lost', ip: '10.0.0.100', device: 'eth0' })],
    ['a timer', (b: BenchRouter) => b.feed({ on: 'tick' })],
    ['waking up', (b: BenchRouter) => b.feed({ on: 'wake', slept_ms: 0 })],
  ])('are gone before anything else happens after a halt: %s', (_, wake) => {
    const b = master(1000);
    b.now += 5000;
    wake(b);
    expect(b.order()).toEqual(['release', 'send 0', 'notify A FAULT']);
    expect(b.reason()).toMatch(/it ended without being renewed, 4000 ms ago/);
  });

  it('survive a halt during which the renewal came', () => {
    const b = master(1000);
    b.now += 5000;
    grant(b, 1000);
    expect(b.state()).toBe('MASTER');
    expect(b.take('release')).toEqual([]);
  });

  it('end when the host has slept for longer, though its clock stood still', () => {
    const b = master(1000);
    b.feed({ on: 'wake', slept_ms: 400 });
    expect(b.state()).toBe('MASTER');
    b.feed({ on: 'wake', slept_ms: 600 });
    expect(b.order()).toEqual(['release', 'send 0', 'notify A FAULT']);
  });

  it('do not yield to another that claims them, nor start an endless dispute', () => {
    const b = master(10_000);
    for (let i = 0; i < 100; i++) {
      b.hear({ priority: 255 }, '10.0.0.250');
      b.pass(10);
    }
    expect(b.state()).toBe('MASTER');
    // One advert each 100 ms as ever, and at most one defence a second.
    expect(b.take('send').length).toBeLessThanOrEqual(11);
    b.hear({ priority: 255 }, '10.0.0.250');
    b.pass(1000);
    expect(b.order().filter((w) => w === 'announce').length).toBeLessThanOrEqual(10);
  });

  it('are asserted against a lower priority, as by any master', () => {
    const b = master(10_000);
    b.hear({ priority: 100 });
    expect(b.order()).toContain('send 255');
  });
});

describe('an owner without a loan', () => {
  it('still yields to an equal with a higher address (RFC 5798 section 6.4.3)', () => {
    const b = new BenchRouter(instanceA({ priority: 255 })).start();
    b.hear({ priority: 255 }, '10.0.0.250');
    expect(b.state()).toBe('BACKUP');
  });
});

describe('the farewell of addresses that are lent', () => {
  const sayFarewell = (b: BenchRouter): (number | null)[] => b.take('release').map((e) => e.farewell_ms);

  function withFarewell(for_ms: number): BenchRouter {
    const config = instanceA({ version: 3, interval_ms: 100, priority: 255, leased: true, farewell: true, tracks });
    const b = new BenchRouter(config);
    b.feed({ on: 'track', id: ITEM, status: 'down', value: 0 });
    b.start();
    grant(b, for_ms);
    return b;
  }

  function revoke(b: BenchRouter): void {
    b.feed({ on: 'track', id: ITEM, status: 'down', value: 0, reason: 'revoked' });
  }

  it('may hold the removal up for 20 ms, but not beyond the end of the loan', () => {
    const early = withFarewell(1000);
    revoke(early);
    expect(sayFarewell(early)).toEqual([20]);
    const late = withFarewell(1000);
    late.pass(993);
    revoke(late);
    expect(sayFarewell(late)).toEqual([7]);
  });

  it('does not hold it up at all when the loan has run out, also in sleep', () => {
    const expired = withFarewell(1000);
    expired.pass(1000);
    expect(sayFarewell(expired)).toEqual([0]);
    const asleep = withFarewell(1000);
    asleep.feed({ on: 'wake', slept_ms: 5000 });
    expect(sayFarewell(asleep)).toEqual([0]);
    const both = withFarewell(1000);
    both.pass(900);
    both.feed({ on: 'wake', slept_ms: 90 });
    revoke(both);
    expect(sayFarewell(both)).toEqual([10]);
  });

  it('counts by the latest renewal, and is said by one that stops too', () => {
    const b = withFarewell(10);
    grant(b, 1000);
    b.pass(500);
    b.feed({ on: 'stop' });
    expect(sayFarewell(b)).toEqual([20]);
  });

  it('is not said by routers that are not told to', () => {
    const b = master(1000);
    revoke(b);
    expect(sayFarewell(b)).toEqual([null]);
  });
});
