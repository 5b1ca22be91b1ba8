import { describe, expect, it } from 'vitest';
import {
  clusterConfig as cluster,
  groupConfig as group,
  hostConfig as host,
  vipConfig as vip,
} from '../../test/support/tanist-config.js';
import type { GroupConfig } from '../config/tanist/model.js';
import { planVips, VipPlanError } from './from-tanist.js';

const eth0 = { interfaceOf: (address: string) => (address.startsWith('10.') ? 'eth0' : null) };

describe('quorum mode', () => {
  it('is an owner that waits for the loan, and tells its adverts to the other Redis hosts alone', () => {
    const plan = planVips(cluster(), 'a', eth0);
    expect(plan.groups).toEqual([
      { name: 'mymaster', item: 'lease:mymaster', instances: ['mymaster'], addresses: ['10.0.0.100'] },
    ]);
    expect(plan.router.instances).toMatchObject([
      {
        name: 'mymaster',
        version: 3,
        vrid: 51,
        priority: 255,
        leased: true,
        interface: 'eth0',
        source: '10.0.0.1',
        peers: [{ address: '10.0.0.2', minTtl: 255 }],
        tracks: [{ id: 'lease:mymaster', weight: 0, reverse: false }],
        vipLifetime_s: 2,
        addresses: [{ ip: '10.0.0.100', prefix: 24, device: 'eth0' }],
      },
    ]);
  });

  it('has one virtual router for each family and id, by one loan', () => {
    const vips = [vip('10.0.0.100'), vip('10.0.0.101'), vip('fd00::100'), vip('10.0.0.102', { vrid: 52 })];
    const plan = planVips(cluster({ groups: [group({ vips })] }), 'b', eth0);
    expect(plan.router.instances.map((i) => [i.name, i.addresses.map((a) => a.ip).join(' ')])).toEqual([
      ['mymaster/ipv4-51', '10.0.0.100 10.0.0.101'],
      ['mymaster/ipv6-51', 'fd00::100'],
      ['mymaster/ipv4-52', '10.0.0.102'],
    ]);
    // The hosts' addresses are IPv4, so the IPv6 adverts have no peer to name.
    expect(plan.router.instances[1]).toMatchObject({ family: 'ipv6', peers: [], source: null });
    expect(plan.router.groups).toEqual([]);
  });

  it('puts a VIP on the interface that is named, and watches it', () => {
    const groups = [group({ vips: [vip('192.168.9.1', { interface: 'eth1' })] })];
    const [instance] = planVips(cluster({ groups }), 'a', eth0).router.instances;
    expect(instance).toMatchObject({ interface: 'eth0', addresses: [{ device: 'eth1' }] });
    expect(instance?.trackInterfaces.map((t) => t.interface)).toEqual(['eth1']);
    const hosts = [host('a', '10.0.0.1', { interface: 'bond0' }), host('b', '10.0.0.2')];
    expect(planVips(cluster({ hosts }), 'a', eth0).router.instances[0]?.addresses[0]?.device).toBe('bond0');
  });

  it('has nothing to keep on a witness, or without a VIP', () => {
    expect(planVips(cluster(), 'w', eth0).router.instances).toEqual([]);
    expect(planVips(cluster({ groups: [group({ vips: [] })] }), 'a', eth0).groups).toEqual([]);
  });
});

describe('pair mode', () => {
  const pair = (failback: GroupConfig['failback'], vips = [vip('10.0.0.100')], ttl_ms: number | null = 1000) =>
    cluster({
      mode: 'pair',
      hosts: [host('a', '10.0.0.1'), host('b', '10.0.0.2')],
      groups: [group({ failback, vips })],
      lease: { ttl_ms },
    });

  it('elects by the order of the hosts, among those whose Redis is fit', () => {
    const [a, b] = ['a', 'b'].map((h) => planVips(pair({ when: 'never' }), h, eth0).router.instances[0]);
    expect(a).toMatchObject({ priority: 250, preempt: false, leased: false, interval_ms: 250 });
    expect(b).toMatchObject({ priority: 230, preempt: false, peers: [{ address: '10.0.0.1' }] });
    expect(a?.tracks).toEqual([{ id: 'redis:mymaster', weight: 0, reverse: false }]);
  });

  it.each([
    [{ when: 'never' } as const, { preempt: false, preemptDelay_ms: 0 }],
    [{ when: 'manual' } as const, { preempt: false, preemptDelay_ms: 0 }],
    [{ when: 'after', wait_ms: 600_000 } as const, { preempt: true, preemptDelay_ms: 600_000 }],
  ])('preempts as failback says: %j', (failback, expected) => {
    expect(planVips(pair(failback), 'a', eth0).router.instances[0]).toMatchObject(expected);
  });

  it('adverts four times a lease, in hundredths of a second', () => {
    const interval = (ttl: number | null): number | undefined =>
      planVips(pair({ when: 'never' }, undefined, ttl), 'a', eth0).router.instances[0]?.interval_ms;
    expect([200, 500, 1000, 60_000, null].map(interval)).toEqual([50, 130, 250, 10_000, 250]);
  });

  it('elects both families together', () => {
    const plan = planVips(pair({ when: 'never' }, [vip('10.0.0.100'), vip('fd00::100')]), 'a', eth0);
    expect(plan.router.groups).toMatchObject([{ members: ['mymaster/ipv4-51', 'mymaster/ipv6-51'] }]);
  });
});

describe('what cannot be kept', () => {
  it('names the address that no interface carries, and the fix', () => {
    const plan = () => planVips(cluster(), 'a', { interfaceOf: () => null });
    expect(plan).toThrow(VipPlanError);
    expect(plan).toThrow(/tanist\.yml: no interface of this host carries 10\.0\.0\.1[\s\S]*fix: .*--host/);
  });

  it('refuses one virtual router id for two groups', () => {
    const groups = [group(), group({ name: 'other', vips: [vip('10.0.0.101')] })];
    expect(() => planVips(cluster({ groups }), 'a', eth0)).toThrow(/mymaster and other both have virtual router id 51/);
  });

  it('refuses a host that the file does not have', () => {
    expect(() => planVips(cluster(), 'z', eth0)).toThrow(/there is no host z/);
  });
});
