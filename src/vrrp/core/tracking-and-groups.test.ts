import { describe, expect, it } from 'vitest';
import { BenchRouter, instanceA, VIP } from '../../../test/support/bench-router.js';
import type { RouterConfig } from './config.js';
import { defaultAddress, defaultInstance } from './defaults.js';

const DOWN_100 = 3000 + (156 / 256) * 1000;

describe('priority by tracking', () => {
  const with_ = (weight: number, reverse = false): BenchRouter =>
    new BenchRouter(instanceA({ tracks: [{ id: 'script:chk', weight, reverse }] })).start();
  const priority = (b: BenchRouter): number | undefined => b.router.snapshot(b.now)[0]?.priority;
  const set = (b: BenchRouter, status: 'up' | 'down'): number | undefined => {
    b.feed({ on: 'track', id: 'script:chk', status, value: 0 });
    return priority(b);
  };

  it.each([
    [20, false, 120, 100],
    [-20, false, 100, 80],
    [20, true, 80, 100],
    [-20, true, 100, 120],
    [253, false, 254, 100],
    [-253, false, 100, 1],
  ])('weight %i, reverse %s: %i up, %i down', (weight, reverse, up, down) => {
    const b = with_(weight, reverse);
    expect([set(b, 'up'), set(b, 'down')]).toEqual([up, down]);
    expect(b.state()).toBe('BACKUP');
  });

  it('is in the next advert', () => {
    const b = with_(-20);
    set(b, 'up');
    b.pass(DOWN_100);
    b.effects = [];
    set(b, 'down');
    b.pass(1000);
    expect(b.take('send').map((s) => b.sent(s).priority)).toEqual([80]);
  });

  it('weight 0 reverse: fault while up', () => {
    const b = with_(0, true);
    set(b, 'up');
    expect(b.state()).toBe('FAULT');
    set(b, 'down');
    expect(b.state()).toBe('BACKUP');
  });

  it("an owner's priority never changes; what it watches can only break it", () => {
    const tracks = [{ id: 'script:chk', weight: -20, reverse: false }];
    const b = new BenchRouter(instanceA({ priority: 255, tracks })).start();
    expect(set(b, 'up')).toBe(255);
    expect(b.state()).toBe('MASTER');
    set(b, 'down');
    expect(b.state()).toBe('FAULT');
  });

  it("a file's value is multiplied by the weight; -254 and below is a fault", () => {
    const b = new BenchRouter(instanceA({ tracks: [{ id: 'file:f', weight: 2, reverse: false }] })).start();
    b.feed({ on: 'track', id: 'file:f', status: 'up', value: -10 });
    expect(priority(b)).toBe(80);
    b.feed({ on: 'track', id: 'file:f', status: 'up', value: -127 });
    expect(b.state()).toBe('FAULT');
  });

  it('interfaces weigh like everything else', () => {
    const trackInterfaces = [{ interface: 'eth1', weight: -30, reverse: false }];
    const b = new BenchRouter(instanceA({ trackInterfaces })).start();
    expect(priority(b)).toBe(70);
    b.feed({ on: 'link', interface: 'eth1', up: true });
    expect(priority(b)).toBe(100);
  });
});

describe('sync groups', () => {
  const b1 = defaultInstance({
    name: 'B',
    vrid: 52,
    interface: 'eth1',
    addresses: [defaultAddress('10.1.0.100', 'eth1')],
  });
  const config = (a = instanceA(), b = b1): RouterConfig => ({
    instances: [a, b],
    groups: [{ name: 'G', members: ['A', 'B'], trackInterfaces: [], tracks: [], memberWeights: false }],
    startupDelay_ms: 0,
  });
  const start = (c = config()): BenchRouter => {
    const bench = BenchRouter.of(c);
    bench.feed({ on: 'link', interface: 'eth1', up: true });
    bench.feed({ on: 'source', interface: 'eth1', family: 'ipv4', address: '10.1.0.1' });
    return bench.start();
  };

  it('are master together, and say so once as a group', () => {
    const b = start(config(instanceA({ priority: 200 })));
    b.take('log');
    b.pass(3000 + (56 / 256) * 1000);
    expect([b.state('A'), b.state('B')]).toEqual(['MASTER', 'MASTER']);
    const told = b.take('notify').map((n) => `${n.kind} ${n.name} ${n.state}`);
    expect(told).toEqual(['INSTANCE A MASTER', 'INSTANCE B MASTER', 'GROUP G MASTER']);
  });

  it('stop together, the group last', () => {
    const b = start();
    b.pass(DOWN_100);
    b.effects = [];
    b.feed({ on: 'stop' });
    const told = b.take('notify').map((n) => `${n.kind} ${n.name} ${n.state}`);
    expect(told).toEqual(['INSTANCE A STOP', 'INSTANCE B STOP', 'GROUP G STOP']);
  });

  it('are backup together when one meets a higher priority', () => {
    const b = start();
    b.pass(DOWN_100);
    b.hear({ priority: 200 });
    expect([b.state('A'), b.state('B')]).toEqual(['BACKUP', 'BACKUP']);
    expect(b.reason('B')).toBe('A, of the same sync group, has become BACKUP');
  });

  it('are in fault together, each with the reason', () => {
    const b = start();
    b.pass(DOWN_100);
    b.feed({ on: 'link', interface: 'eth1', up: false });
    expect([b.state('A'), b.state('B')]).toEqual(['FAULT', 'FAULT']);
    expect(b.reason('A')).toBe('B, of the same sync group: interface eth1 is down');
    b.feed({ on: 'link', interface: 'eth1', up: true });
    expect([b.state('A'), b.state('B')]).toEqual(['BACKUP', 'BACKUP']);
  });

  it("ignore members' own weights unless sync_group_tracking_weight", () => {
    const trackInterfaces = [{ interface: 'eth2', weight: -30, reverse: false }];
    const c = config(instanceA({ trackInterfaces }));
    expect(start(c).state('B')).toBe('FAULT');
    const weighted = { ...c, groups: c.groups.map((g) => ({ ...g, memberWeights: true })) };
    expect(start(weighted).state('B')).toBe('BACKUP');
  });
});

describe('reconfiguration', () => {
  const to = (b: BenchRouter, ...instances: RouterConfig['instances'][number][]): void => {
    b.feed({ on: 'configure', config: { instances, groups: [], startupDelay_ms: 0 } });
  };
  const master = (): BenchRouter => {
    const b = new BenchRouter(instanceA()).start();
    b.pass(DOWN_100);
    b.pass(5000);
    b.effects = [];
    return b;
  };

  it('does not touch what did not change', () => {
    const b = master();
    to(b, instanceA());
    expect(b.effects).toEqual([]);
  });

  it('a master stays master through new addresses and priorities', () => {
    const b = master();
    to(b, instanceA({ priority: 120, addresses: [defaultAddress('10.0.0.101', 'eth0')] }));
    expect(b.state()).toBe('MASTER');
    const [release] = b.effects.filter((e) => e.do === 'release');
    expect(release).toMatchObject({ addresses: [{ ip: VIP }] });
    expect(b.take('claim')).toMatchObject([{ addresses: [{ ip: '10.0.0.101' }] }]);
    b.pass(1000);
    expect(b.take('send').map((s) => b.sent(s).priority)).toEqual([120]);
  });

  it('another VRID is another router: the old one leaves', () => {
    const b = master();
    to(b, instanceA({ vrid: 52 }));
    expect(b.order()).toEqual(['release', 'send 0', 'notify A STOP', 'notify A BACKUP']);
  });

  it('an instance that is gone leaves and says DELETED', () => {
    const b = master();
    to(b);
    expect(b.order()).toEqual(['release', 'send 0', 'notify A DELETED']);
  });
});
