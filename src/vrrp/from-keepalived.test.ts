import { describe, expect, it } from 'vitest';
import { exitCodeOf, readKeepalivedConf } from '../config/keepalived/read.js';
import { type PlanOptions, planFromKeepalived } from './from-keepalived.js';

const PATH = '/k.conf';
const plan = (text: string, options: PlanOptions = {}) => {
  const read = readKeepalivedConf(PATH, { texts: new Map([[PATH, text]]) });
  const result = planFromKeepalived(read.conf, options);
  const diagnostics = [...read.diagnostics, ...result.diagnostics];
  return { ...result, diagnostics, messages: diagnostics.map((d) => d.message), code: exitCodeOf(diagnostics) };
};
const one = (body: string, vip = '10.0.0.1/24', options: PlanOptions = {}) =>
  plan(
    `vrrp_instance A {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n ${vip}\n }\n${body}\n}\n`,
    options,
  );
const first = (result: ReturnType<typeof plan>) => result.plan.router.instances[0];

describe("keepalived's defaults", () => {
  it('fills in what is not written', () => {
    const result = one('');
    expect(result.messages).toEqual([]);
    expect(first(result)).toMatchObject({
      version: 2,
      priority: 100,
      interval_ms: 1000,
      preempt: true,
      group: '224.0.0.18',
      announce: { repeat: 5, delay_ms: 5000, lowerRepeat: 5, lowerDelay_ms: 5000, refresh_ms: 0 },
      addresses: [{ ip: '10.0.0.1', prefix: 24, device: 'eth0', scope: 'global' }],
    });
  });

  it('lower_prio values follow the master values, and vrrp_min_garp makes it one announcement', () => {
    expect(first(one('garp_master_repeat 2\ngarp_master_delay 1'))?.announce).toMatchObject({
      lowerRepeat: 2,
      lowerDelay_ms: 1000,
    });
    const min = plan('global_defs {\n vrrp_min_garp\n}\nvrrp_instance A {\n interface eth0\n virtual_router_id 1\n}\n');
    expect(first(min)?.announce).toMatchObject({ repeat: 1, delay_ms: 0 });
  });

  it('IPv6 means version 3, the IPv6 group, and deprecated host addresses', () => {
    expect(first(one('', '2001:db8::1'))).toMatchObject({
      version: 3,
      group: 'ff02::12',
      addresses: [{ prefix: 128, deprecated: true }],
    });
    expect(first(one('', '2001:db8::1/64'))?.addresses[0]?.deprecated).toBe(false);
  });

  it('state MASTER without a priority means 255', () => {
    expect(first(one('state MASTER'))?.priority).toBe(255);
  });
});

describe('rules between words', () => {
  it.each([
    ['advert_int 0.1', /version 2 cannot advert every 0.1 s \(whole seconds\): taken as 1 s/],
    ['version 3\nadvert_int 50', /at most 40.95\): taken as 40.95 s/],
    ['version 3\nauthentication {\nauth_type PASS\nauth_pass x\n}', /version 3 has no authentication/],
    ['authentication {\nauth_type AH\nauth_pass x\n}', /AH \(IPSEC\) is not handled/],
    ['unicast_peer {\n}', /names no peer: multicast is used/],
    ['track_script {\n nope\n}', /there is no script nope to track/],
    ['state MASTER\npriority 150\npreempt_delay 5', /preempt_delay has no effect beside state MASTER/],
    ['priority 255\nnopreempt', /nopreempt has no effect on the owner/],
  ])('%s', (body, message) => {
    const result = one(body);
    expect(result.messages.join('\n')).toMatch(message);
    expect(result.code).toBe(4);
    expect(result.plan.router.instances).toHaveLength(1);
  });

  it('nopreempt beside state MASTER: cleared as in keepalived, never silently, kept on request', () => {
    const body = 'state MASTER\npriority 150\nnopreempt';
    expect(first(one(body))?.preempt).toBe(true);
    expect(one(body).messages.join()).toMatch(/nopreempt has no effect beside state MASTER, as in keepalived/);
    const kept = one(body, '10.0.0.1', { honourNopreempt: true });
    expect(first(kept)?.preempt).toBe(false);
    expect(kept.messages.join()).toMatch(/kept in force/);
    expect(first(one('state BACKUP\nnopreempt'))?.preempt).toBe(false);
  });

  it('leaves out instances that cannot run, and cannot run at all when none is left', () => {
    const result = plan('vrrp_instance A {\n interface eth0\n}\n');
    expect(result.messages).toEqual([
      'vrrp_instance A cannot run: virtual_router_id is not set',
      'no vrrp_instance is left that can run',
    ]);
    expect(result.code).toBe(3);
  });

  it('tells twins apart by interface, family and peers, and leaves the second of true twins out', () => {
    const text = (name: string, extra = ''): string =>
      `vrrp_instance ${name} {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 10.0.0.1\n }\n${extra}}\n`;
    expect(plan(text('A') + text('B')).messages.join()).toMatch(
      /A and B both use VRID 1 with ipv4 on eth0: B is left out/,
    );
    expect(plan(text('A') + text('B', 'mcast_dst_ip 224.0.0.200\n')).plan.router.instances).toHaveLength(2);
  });

  it('takes the other family only as excluded', () => {
    const result = one('virtual_ipaddress_excluded {\n 2001:db8::1\n}', '10.0.0.1\n2001:db8::2');
    expect(result.messages.join()).toMatch(/2001:db8::2 is of another family/);
    expect(first(result)?.excluded.map((a) => a.ip)).toEqual(['2001:db8::1']);
  });

  it('strict mode: no authentication, RFC silence on lower priorities, no unicast', () => {
    const strict = one('strict_mode\nauthentication {\nauth_type PASS\nauth_pass x\n}');
    expect(first(strict)).toMatchObject({ auth: { kind: 'none' }, lowerPrioNoAdvert: true });
    expect(one('strict_mode\nunicast_peer {\n10.0.0.2\n}').code).toBe(3);
  });

  it('asks for script security with its own exit code, as a last word only', () => {
    const script = 'vrrp_script s {\n script /bin/true\n}\n';
    const body =
      'vrrp_instance A {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 10.0.0.1\n }\n track_script {\n s\n }\n}\n';
    expect(plan(script + body).code).toBe(5);
    expect(plan(`global_defs {\n enable_script_security\n}\n${script}${body}`).code).toBe(0);
    expect(plan(`${script}${body}oops\n`).code).toBe(4);
  });

  it('keeps groups in step, and names members that are missing', () => {
    const body = 'vrrp_instance A {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 10.0.0.1\n }\n}\n';
    const result = plan(`vrrp_sync_group G {\n group {\n A\n B\n }\n}\n${body}`);
    expect(result.messages).toEqual([
      'vrrp_sync_group G: there is no vrrp_instance B: ignored',
      'vrrp_sync_group G has 1 member: nothing to keep in step',
    ]);
    expect(result.plan.router.groups).toMatchObject([{ name: 'G', members: ['A'] }]);
  });

  it('vip_lifetime from the instance, the globals or the command line', () => {
    expect(first(one('vip_lifetime 2'))?.vipLifetime_s).toBe(2);
    expect(first(one('vip_lifetime 2', '10.0.0.1', { vipLifetime_s: 5 }))?.vipLifetime_s).toBe(5);
  });
});

describe('configurations found in the wild', () => {
  const read = (name: string) => {
    const { conf, diagnostics } = readKeepalivedConf(
      new URL(`../../test/fixtures/keepalived/${name}`, import.meta.url).pathname,
    );
    const result = planFromKeepalived(conf);
    return {
      ...result,
      messages: [...diagnostics, ...result.diagnostics].filter((d) => d.severity === 'error').map((d) => d.message),
    };
  };

  it('a Redis pair whose vrrp_script lacks its brace', () => {
    const master = read('redis-pair-master.conf');
    expect(master.messages).toEqual([
      'vrrp_script chk_redis has no { behind it: taken as if it stood there',
      'redis: nopreempt has no effect beside state MASTER, as in keepalived: write state BACKUP to have it',
    ]);
    expect(master.plan.router.instances).toMatchObject([
      {
        name: 'redis',
        vrid: 50,
        priority: 150,
        preempt: true,
        auth: { password: '1111' },
        tracks: [{ id: 'script:chk_redis', weight: 0 }],
      },
    ]);
    expect(master.plan.scripts).toMatchObject([
      {
        interval_ms: 2000,
        timeout_ms: 2000,
        fall: 3,
        command: { argv: ['/etc/keepalived/scripts/redis_check.sh', '127.0.0.1', '6379'] },
      },
    ]);
    expect(master.plan.instanceNotifies.get('redis')).toMatchObject({
      fault: { argv: ['/etc/keepalived/scripts/redis_fault.sh'] },
    });
    expect(read('redis-pair-backup.conf').plan.router.instances).toMatchObject([{ priority: 100 }]);
  });

  it('a unicast pair with a misspelt state', () => {
    const backup = read('redis-unicast-backup.conf');
    expect(backup.messages).toEqual(['state BAKCUP is neither MASTER nor BACKUP: taken as BACKUP']);
    expect(backup.plan.router.instances).toMatchObject([
      {
        name: 'VI_REDIS',
        source: '192.168.158.12',
        peers: [{ address: '192.168.158.11' }],
        preempt: false,
        tracks: [{ weight: -5 }],
      },
    ]);
  });

  it('a pair beside Sentinel, without any fault', () => {
    expect(read('redis-sentinel-master.conf').messages).toEqual([]);
    expect(read('redis-sentinel-backup.conf').plan.router.instances).toMatchObject([{ vrid: 1, priority: 100 }]);
  });
});
