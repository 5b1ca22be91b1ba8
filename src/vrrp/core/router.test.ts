import { describe, expect, it } from 'vitest';
import { BenchRouter, instanceA, OWN, VIP } from '../../../test/support/bench-router.js';
import { defaultAddress } from './defaults.js';

/** A set of announcements, and the question whether somebody disputes them. */
const ANNOUNCED = [...Array(5).fill('announce'), 'probe'];
const DOWN_100 = 3000 + (156 / 256) * 1000;

describe('RFC 3768 section 6.4.1 / RFC 5798 section 6.4.1: Initialize', () => {
  it('starts as backup, and is master after three intervals and the skew', () => {
    const b = new BenchRouter(instanceA()).start();
    expect(b.state()).toBe('BACKUP');
    b.pass(DOWN_100 - 1);
    expect(b.state()).toBe('BACKUP');
    b.pass(1);
    expect(b.state()).toBe('MASTER');
    expect(b.reason()).toMatch(/no advert/);
  });

  it('starts as master at once when it owns the addresses', () => {
    const b = new BenchRouter(instanceA({ priority: 255 })).start();
    expect(b.state()).toBe('MASTER');
    expect(b.order()).toEqual(['send 255', 'claim', ...ANNOUNCED, 'notify A MASTER']);
  });

  it('waits for vrrp_startup_delay before anything else', () => {
    const b = BenchRouter.of({ instances: [instanceA()], groups: [], startupDelay_ms: 5000 }).start();
    b.pass(4999);
    expect(b.state()).toBe('INIT');
    b.pass(1);
    expect(b.state()).toBe('BACKUP');
  });
});

describe('RFC 3768 section 6.4.2 / RFC 5798 section 6.4.2: Backup', () => {
  it('takes over by advert, then addresses, then announcements', () => {
    const b = new BenchRouter(instanceA()).start();
    b.take('log');
    b.pass(DOWN_100);
    expect(b.order()).toEqual(['probe', 'send 100', 'claim', ...ANNOUNCED, 'notify A MASTER']);
  });

  it('waits only for the skew after priority 0', () => {
    const b = new BenchRouter(instanceA()).start();
    b.hear({ priority: 150 });
    b.hear({ priority: 0 });
    b.pass((156 / 256) * 1000 - 1);
    expect(b.state()).toBe('BACKUP');
    b.pass(1);
    expect(b.state()).toBe('MASTER');
  });

  it('stays backup while equal or higher priorities are heard', () => {
    const b = new BenchRouter(instanceA()).start();
    for (let i = 0; i < 10; i++) {
      b.hear({ priority: 100 + i });
      b.pass(3000);
      expect(b.state()).toBe('BACKUP');
    }
  });

  it('ignores lower priorities, and so takes over from them', () => {
    const b = new BenchRouter(instanceA()).start();
    for (let i = 0; i < 3; i++) {
      b.hear({ priority: 50 });
      b.pass(1000);
    }
    b.feed({ on: 'conflict', ip: VIP, mac: '02:00:00:00:00:02' });
    b.pass(610);
    expect(b.state()).toBe('MASTER');
    expect(b.reason()).toBe('takes over from 10.0.0.2, whose priority 50 is lower');
    // That one answers for the addresses, as a master must.
    expect(b.take('log').filter((l) => l.level === 'warn')).toEqual([]);
  });

  it('lets a lower master be with nopreempt', () => {
    const b = new BenchRouter(instanceA({ preempt: false })).start();
    for (let i = 0; i < 10; i++) {
      b.hear({ priority: 50 });
      b.pass(1000);
    }
    expect(b.state()).toBe('BACKUP');
    b.pass(DOWN_100);
    expect(b.state()).toBe('MASTER');
  });

  it('lets a lower master be for preempt_delay, counted from its first advert', () => {
    const b = new BenchRouter(instanceA({ preemptDelay_ms: 5000 })).start();
    for (let i = 0; i < 7; i++) {
      b.hear({ priority: 50 });
      b.pass(1000);
    }
    expect(b.state()).toBe('BACKUP');
    b.hear({ priority: 50 });
    b.pass(610);
    expect(b.state()).toBe('MASTER');
  });

  it('does not delay the take-over from silence by preempt_delay', () => {
    const b = new BenchRouter(instanceA({ preemptDelay_ms: 60_000 })).start();
    b.pass(DOWN_100);
    expect(b.state()).toBe('MASTER');
  });

  it('learns the master interval in version 3 (RFC 5798 section 6.4.2, step 440)', () => {
    const b = new BenchRouter(instanceA({ version: 3, interval_ms: 100 })).start();
    b.hear({ priority: 150, interval_ms: 1000 });
    b.pass(3 * 1000 + (156 / 256) * 1000 - 1);
    expect(b.state()).toBe('BACKUP');
    b.pass(1);
    expect(b.state()).toBe('MASTER');
  });

  it('is master in version 3 at 100 ms after 3 intervals and 156/256 of one (RFC 5798 section 6.1)', () => {
    const b = new BenchRouter(instanceA({ version: 3, interval_ms: 100 })).start();
    b.pass(300 + (156 / 256) * 100 - 0.5);
    expect(b.state()).toBe('BACKUP');
    b.pass(0.5);
    expect(b.state()).toBe('MASTER');
  });

  it('does not probe while adverts come on time', () => {
    const b = new BenchRouter(instanceA()).start();
    for (let i = 0; i < 20; i++) {
      b.hear({ priority: 150 });
      b.pass(1000);
    }
    expect(b.take('probe')).toEqual([]);
  });

  it('takes a disputed address all the same, and says so', () => {
    const b = new BenchRouter(instanceA()).start();
    b.feed({ on: 'conflict', ip: VIP, mac: '02:00:00:00:00:01' });
    b.pass(DOWN_100 - 1);
    b.feed({ on: 'conflict', ip: VIP, mac: '02:00:00:00:00:02' });
    b.pass(1);
    expect(b.state()).toBe('MASTER');
    const warnings = b.take('log').filter((l) => l.level === 'warn');
    expect(warnings.map((l) => l.message).join()).toMatch(/02:00:00:00:00:02 still answers/);
    expect(warnings.map((l) => l.message).join()).not.toMatch(/00:01/);
  });
});

describe('RFC 3768 section 6.4.3 / RFC 5798 section 6.4.3: Master', () => {
  const master = (...args: Parameters<typeof instanceA>): BenchRouter => {
    const b = new BenchRouter(instanceA(...args)).start();
    b.pass(DOWN_100);
    expect(b.state()).toBe('MASTER');
    b.effects = [];
    return b;
  };

  it('adverts every interval, and never in a burst after a stall', () => {
    const b = master();
    b.pass(3000);
    expect(b.take('send')).toHaveLength(3);
    b.now += 10_000;
    b.feed({ on: 'tick' });
    expect(b.take('send')).toHaveLength(1);
    b.pass(1000);
    expect(b.take('send')).toHaveLength(1);
  });

  it('answers priority 0 with an advert at once', () => {
    const b = master();
    b.hear({ priority: 0 });
    expect(b.order()).toEqual(['send 100']);
    expect(b.state()).toBe('MASTER');
  });

  it('gives way to a higher priority: addresses go before anything is told', () => {
    const b = master();
    b.hear({ priority: 101 });
    expect(b.order()).toEqual(['release', 'notify A BACKUP']);
    expect(b.reason()).toBe('10.0.0.2 has a higher priority: 101 > 100');
  });

  it('gives way to an equal priority only of a higher address', () => {
    const b = master();
    b.hear({}, '10.0.0.0');
    expect(b.state()).toBe('MASTER');
    b.hear({}, '10.0.0.2');
    expect(b.state()).toBe('BACKUP');
    expect(b.reason()).toMatch(/equal priority and a higher address/);
  });

  it('asserts its role on a lower priority with an advert and announcements (RFC 9568 section 6.4.3)', () => {
    const b = master();
    b.hear({ priority: 50 });
    expect(b.order()).toEqual(['lower-heard', 'send 100', ...ANNOUNCED]);
  });

  it('keeps silent on a lower priority with lower_prio_no_advert (RFC 5798 step 745: discard)', () => {
    const b = master({ lowerPrioNoAdvert: true });
    b.hear({ priority: 50 });
    expect(b.order()).toEqual(['lower-heard']);
  });

  it('sends one last advert with higher_prio_send_advert', () => {
    const b = master({ higherPrioSendAdvert: true });
    b.hear({ priority: 150 });
    expect(b.order()).toEqual(['send 100', 'release', 'notify A BACKUP']);
  });

  it('leaves by removing the addresses, then priority 0', () => {
    const b = master();
    b.feed({ on: 'stop' });
    expect(b.order()).toEqual(['release', 'send 0', 'notify A STOP']);
    b.pass(60_000);
    expect(b.effects).toEqual([]);
  });

  it('announces again when its carrier returns though it stayed master', () => {
    const b = master({ trackPrimary: false });
    b.feed({ on: 'link', interface: 'eth0', up: false });
    expect(b.state()).toBe('MASTER');
    b.effects = [];
    b.feed({ on: 'link', interface: 'eth0', up: true });
    expect(b.order()).toEqual(['send 100', ...ANNOUNCED]);
  });

  it('puts back an address that somebody removed, unless no_track', () => {
    const b = master();
    b.feed({ on: 'address-lost', ip: VIP, device: 'eth0' });
    expect(b.order()).toEqual(['claim', 'announce']);
    const free = master({ addresses: [defaultAddress(VIP, 'eth0', { noTrack: true })] });
    free.feed({ on: 'address-lost', ip: VIP, device: 'eth0' });
    expect(free.order()).toEqual([]);
  });

  it('defends its address, at most once a second', () => {
    const b = master();
    b.pass(2500);
    b.effects = [];
    for (let i = 0; i < 10; i++) b.feed({ on: 'conflict', ip: VIP, mac: '02:00:00:00:00:02' });
    b.pass(0);
    expect(b.take('announce')).toHaveLength(5);
    b.feed({ on: 'conflict', ip: VIP, mac: '02:00:00:00:00:02' });
    b.pass(999);
    expect(b.take('announce')).toHaveLength(0);
    b.pass(1);
    expect(b.order()).toEqual(ANNOUNCED);
  });

  it('refreshes a lifetime before it ends, and at once after a stall', () => {
    const b = master({ vipLifetime_s: 2 });
    b.pass(901);
    expect(b.take('claim')).toMatchObject([{ lifetime_s: 2 }]);
    b.now += 5000;
    b.feed({ on: 'tick' });
    expect(b.take('claim')).toHaveLength(1);
  });

  it('says that an advert could not be sent, once a minute', () => {
    const b = master();
    for (let i = 0; i < 5; i++) b.feed({ on: 'send-failed', instance: 'A', error: 'EPERM' });
    expect(b.take('log').filter((l) => l.level === 'error')).toHaveLength(1);
    expect(b.router.snapshot(b.now)[0]?.stats.sendErrors).toBe(5);
  });
});

describe('announcements as configured', () => {
  it('garp_master_repeat, garp_master_delay, garp_master_refresh', () => {
    const announce = { ...instanceA().announce, repeat: 2, delay_ms: 3000, refresh_ms: 10_000, refreshRepeat: 3 };
    const b = new BenchRouter(instanceA({ announce, priority: 255 })).start();
    expect(b.take('announce')).toHaveLength(2);
    b.pass(2999);
    expect(b.take('announce')).toHaveLength(0);
    b.pass(1);
    expect(b.take('announce')).toHaveLength(2);
    b.pass(7000);
    expect(b.take('announce')).toHaveLength(3);
  });

  it('spaces announcements by vrrp_garp_interval', () => {
    const announce = { ...instanceA().announce, gap_ms: 10 };
    const b = new BenchRouter(instanceA({ announce, priority: 255 })).start();
    expect(b.take('announce')).toHaveLength(1);
    b.pass(40);
    expect(b.take('announce')).toHaveLength(4);
  });

  it('a storm of lower adverts does not pile announcements up', () => {
    const b = new BenchRouter(instanceA({ priority: 200 })).start();
    b.pass(5000);
    for (let i = 0; i < 100; i++) b.hear({ priority: 1 });
    b.effects = [];
    b.pass(60_000);
    expect(b.take('announce').length).toBeLessThanOrEqual(20);
  });
});

describe('RFC 3768 and RFC 5798 section 7.1: adverts that are not believed', () => {
  const drops = (b: BenchRouter): unknown => b.router.snapshot(b.now)[0]?.stats.dropped;

  it.each([
    ['ttl', (b: BenchRouter) => b.hear({ priority: 200 }, '10.0.0.2', 254)],
    ['version', (b: BenchRouter) => b.hear({ priority: 200, version: 3 })],
    ['authentication-type', (b: BenchRouter) => b.hear({ priority: 200, auth: { kind: 'pass', password: 'x' } })],
    ['interval', (b: BenchRouter) => b.hear({ priority: 200, interval_ms: 2000 })],
    ['address-list', (b: BenchRouter) => b.hear({ priority: 200, addresses: ['10.0.0.101'] })],
    ['address-list', (b: BenchRouter) => b.hear({ priority: 200, addresses: [VIP, '10.0.0.101'] })],
    ['address-list', (b: BenchRouter) => b.hear({ priority: 200, addresses: [] })],
    ['own', (b: BenchRouter) => b.hear({ priority: 200 }, OWN)],
  ] as const)('%s', (cause, hear) => {
    const b = new BenchRouter(instanceA()).start();
    b.pass(DOWN_100);
    hear(b);
    expect(b.state()).toBe('MASTER');
    expect(drops(b)).toEqual({ [cause]: 1 });
  });

  it('a wrong password, compared by its first eight characters', () => {
    const auth = { kind: 'pass', password: '123456789' } as const;
    const b = new BenchRouter(instanceA({ auth })).start();
    b.hear({ priority: 200, auth: { kind: 'pass', password: '12345670' } });
    expect(drops(b)).toEqual({ 'authentication-failure': 1 });
    b.hear({ priority: 200, auth: { kind: 'pass', password: '123456780' } });
    expect(drops(b)).toEqual({ 'authentication-failure': 1 });
  });

  it('believes the owner of the addresses in spite of another list (RFC 3768 section 7.1)', () => {
    const b = new BenchRouter(instanceA()).start();
    b.pass(DOWN_100);
    b.hear({ priority: 255, addresses: ['10.0.0.101'] });
    expect(b.state()).toBe('BACKUP');
  });

  it('names a v2 interval mismatch loudly, since it makes two masters', () => {
    const b = new BenchRouter(instanceA()).start();
    b.hear({ interval_ms: 3000 });
    expect(b.take('log').find((l) => l.level === 'warn')?.message).toMatch(/3 s, ours is 1 s; until they agree both/);
  });

  it('counts what is for another VRID nowhere', () => {
    const b = new BenchRouter(instanceA()).start();
    b.hear({ vrid: 52, priority: 200 });
    b.hear({ vrid: 52, priority: 0 });
    expect(drops(b)).toEqual({});
    expect(b.state()).toBe('BACKUP');
  });

  it('checks unicast senders and TTLs as unicast_peer says', () => {
    const peers = [{ address: '10.0.0.2', minTtl: 250, maxTtl: null }];
    const b = new BenchRouter(instanceA({ peers, checkPeers: true })).start();
    b.hear({ priority: 200 }, '10.0.0.3', 255, OWN);
    b.hear({ priority: 200 }, '10.0.0.2', 249, OWN);
    expect(drops(b)).toEqual({ 'unknown-peer': 1, ttl: 1 });
    b.hear({ priority: 200 }, '10.0.0.2', 250, OWN);
    b.pass(DOWN_100 - 1);
    expect(b.state()).toBe('BACKUP');
  });
});

describe('unicast', () => {
  it('sends to each peer, with its own TTL', () => {
    const peers = ['10.0.0.2', '10.0.0.3'].map((address) => ({ address, minTtl: null, maxTtl: null }));
    const b = new BenchRouter(instanceA({ peers, unicastTtl: 64, priority: 255 })).start();
    expect(b.take('send').map((s) => [s.destination, s.ttl])).toEqual([
      ['10.0.0.2', 64],
      ['10.0.0.3', 64],
    ]);
  });
});

describe('whose packet it is', () => {
  it('a unicast router does not heed multicast of the same VRID, nor a multicast one unicast', () => {
    const peers = [{ address: '10.0.0.2', minTtl: null, maxTtl: null }];
    const unicast = new BenchRouter(instanceA({ peers })).start();
    const multicast = new BenchRouter(instanceA()).start();
    unicast.hear({ priority: 0 });
    multicast.hear({ priority: 0 }, '10.0.0.2', 255, OWN);
    for (const b of [unicast, multicast]) {
      b.pass(1000);
      expect(b.state()).toBe('BACKUP');
    }
  });
});

describe('FAULT', () => {
  it('leaves master with priority 0 when the link goes, and comes back as backup', () => {
    const b = new BenchRouter(instanceA()).start();
    b.pass(DOWN_100);
    b.effects = [];
    b.feed({ on: 'link', interface: 'eth0', up: false });
    expect(b.order()).toEqual(['release', 'send 0', 'notify A FAULT']);
    expect(b.reason()).toBe('interface eth0 is down');
    b.pass(60_000);
    b.feed({ on: 'link', interface: 'eth0', up: true });
    expect(b.state()).toBe('BACKUP');
    b.pass(DOWN_100);
    expect(b.state()).toBe('MASTER');
  });

  it('needs an address to send from', () => {
    const b = new BenchRouter(instanceA()).start();
    b.feed({ on: 'source', interface: 'eth0', family: 'ipv4', address: null });
    expect(b.reason()).toMatch(/no IPv4 address/);
  });

  it('comes from an unweighted script, in the words of the log', () => {
    const b = new BenchRouter(instanceA({ tracks: [{ id: 'script:chk', weight: 0, reverse: false }] })).start();
    expect(b.state()).toBe('INIT');
    expect(b.reason()).toBe('waiting for the first result of script chk');
    b.feed({ on: 'track', id: 'script:chk', status: 'up', value: 0 });
    expect(b.state()).toBe('BACKUP');
    b.feed({ on: 'track', id: 'script:chk', status: 'down', value: 0 });
    expect(b.state()).toBe('FAULT');
    expect(b.reason()).toBe('script chk is down');
  });
});
