/** Published Redis-and-keepalived set-ups, their files unchanged, and the checks that their authors make. */
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { needs } from '../support/needs.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';
import { ArticleHost } from './article-host.js';
import { Lab } from './lab.js';
import { needsVrrpLab } from './vrrp-routers.js';

const cleanup = cleanupAfterEach();
beforeEach((context) => {
  needsVrrpLab(context);
  needs(context, 'redis-server');
  needs(context, 'redis-cli');
});

/** The scripts sleep up to 25 s in all before a role is what it shall be. */
const SLOW_MS = 60_000;

describe('a pair with multicast and an unweighted check', () => {
  const VIP = '192.168.0.200';

  it('takes over, returns, keeps the data', async () => {
    const addresses = { master: '192.168.0.100', slave: '192.168.0.101', client: '192.168.0.9' };
    const lab = new Lab(cleanup, ['master', 'slave', 'client'], { addresses });
    const folder = tempDir(cleanup);
    const article = (role: string) => ({
      config: `redis-pair-${role}.conf`,
      scripts: { from: `redis-pair-${role}-scripts`, to: 'scripts' },
      redisCli: 'usr/redis/redis-cli',
    });
    const master = new ArticleHost(lab.host('master'), folder, article('master'));
    const slave = new ArticleHost(lab.host('slave'), folder, article('backup'));
    let redis = master.startRedis();
    slave.startRedis();
    await until(() => master.role(addresses.master) === 'master' && slave.role(addresses.slave) === 'master', {
      what: 'both Redis to answer',
    });
    master.startRouter();
    slave.startRouter();

    const settled = (): boolean =>
      master.role(VIP) === 'master' && lab.holders(VIP).join() === 'master' && slave.role(addresses.slave) === 'slave';
    await until(settled, { what: 'the master to be the master', deadline_ms: SLOW_MS, interval_ms: 200 });
    const client = new ArticleHost(lab.host('client'), folder, { config: 'redis-pair-master.conf' });
    await until(() => /slave0:ip=192.168.0.101,port=6379,state=online/.test(client.redis(VIP, 'INFO', 'replication')), {
      what: 'the slave to be online',
      deadline_ms: SLOW_MS,
    });
    expect(client.redis(VIP, 'SET', 'Hello', 'Redis')).toBe('OK');
    for (const at of [VIP, addresses.master, addresses.slave])
      await until(() => client.redis(at, 'GET', 'Hello') === 'Redis', { what: `the value at ${at}` });

    redis.kill('SIGTERM');
    await redis.exited;
    await until(() => /\[fault\]/.test(master.log('keepalived-redis-state.log')), {
      what: '[fault] in the log',
      deadline_ms: SLOW_MS,
    });
    await until(() => client.role(VIP) === 'master' && lab.holders(VIP).join() === 'slave', {
      what: 'the slave to take over',
      deadline_ms: SLOW_MS,
      interval_ms: 200,
    });
    expect(slave.log('keepalived-redis-state.log')).toMatch(/\[master\][\s\S]*Run SLAVEOF NO ONE cmd[\s\S]*OK/);
    expect(client.redis(VIP, 'GET', 'Hello')).toBe('Redis');
    expect(client.redis(VIP, 'SET', 'meanwhile', 'kept')).toBe('OK');

    redis = master.startRedis();
    await until(settled, { what: 'the master to return', deadline_ms: 90_000, interval_ms: 200 });
    expect(slave.log('keepalived-redis-state.log')).toMatch(/\[BACKUP\]/);
    expect(client.redis(VIP, 'MGET', 'Hello', 'meanwhile').split('\n')).toEqual(['Redis', 'kept']);
    expect(client.redis(VIP, 'SET', 'after', 'all')).toBe('OK');
  }, 240_000);
});

describe('a pair with unicast, whose check stops the router', () => {
  const VIP = '192.168.158.13';

  it('takes over, returns, keeps the data', async () => {
    const addresses = { region01: '192.168.158.11', region02: '192.168.158.12', client: '192.168.158.9' };
    const lab = new Lab(cleanup, ['region01', 'region02', 'client'], { addresses, device: 'ens33' });
    const folder = tempDir(cleanup);
    const password = '78e13a';
    const article = (role: string) => ({
      config: `redis-unicast-${role}.conf`,
      scripts: { from: `redis-unicast-${role}-scripts`, to: 'scripts_redis' },
      redisCli: 'usr/local/redis/bin/redis-cli',
      password,
    });
    const one = new ArticleHost(lab.host('region01'), folder, article('master'));
    const two = new ArticleHost(lab.host('region02'), folder, article('backup'));
    const client = new ArticleHost(lab.host('client'), folder, { config: 'redis-unicast-master.conf', password });
    const holders = (): string =>
      lab.hosts
        .filter((h) => h.holds(VIP, 'ens33'))
        .map((h) => h.name)
        .join();
    let redis = one.startRedis();
    two.startRedis();
    await until(() => one.role(addresses.region01) === 'master' && two.role(addresses.region02) === 'master', {
      what: 'both Redis to answer',
    });
    const router = one.startRouter();
    two.startRouter();
    const settled = (): boolean =>
      holders() === 'region01' && client.role(VIP) === 'master' && client.role(addresses.region02) === 'slave';
    await until(settled, { what: 'region01 to be the master', deadline_ms: SLOW_MS, interval_ms: 200 });
    expect(client.redis(VIP, 'SET', 'test01', 'nosql')).toBe('OK');
    await until(() => client.redis(addresses.region02, 'KEYS', '*') === 'test01', { what: 'the key on region02' });

    redis.kill('SIGKILL');
    await router.exited;
    await until(() => holders() === 'region02' && client.role(VIP) === 'master', {
      what: 'region02 to take over',
      deadline_ms: SLOW_MS,
      interval_ms: 200,
    });
    expect(one.log('keepalived-redis-status.log')).toMatch(/\[Stop\]/);
    expect(client.redis(VIP, 'KEYS', '*')).toBe('test01');
    expect(client.redis(VIP, 'SET', 'test02', 'nosql')).toBe('OK');

    redis = one.startRedis();
    one.startRouter();
    await until(settled, { what: 'region01 to return', deadline_ms: SLOW_MS, interval_ms: 200 });
    expect(client.redis(VIP, 'KEYS', '*').split('\n').sort()).toEqual(['test01', 'test02']);
  }, 240_000);
});

describe('three hosts beside Sentinel', () => {
  const VIP = '172.19.0.100';

  it('answers on the virtual IP from everywhere, also after the master is stopped', async () => {
    const addresses = { master: '172.19.0.4', slave1: '172.19.0.3', slave2: '172.19.0.2' };
    const lab = new Lab(cleanup, ['master', 'slave1', 'slave2'], { addresses, prefix: 16 });
    const folder = tempDir(cleanup);
    const hosts = Object.fromEntries(
      Object.keys(addresses).map((name) => {
        const config = name === 'master' ? 'redis-sentinel-master.conf' : 'redis-sentinel-backup.conf';
        return [name, new ArticleHost(lab.host(name), folder, { config })];
      }),
    );
    for (const [name, host] of Object.entries(hosts)) {
      host.startRedis(...(name === 'master' ? [] : ['--replicaof', addresses.master, '6379']));
      host.startRouter();
    }
    await until(() => lab.holders(VIP).join() === 'master', { what: 'the virtual IP on the master' });
    for (const host of Object.values(hosts)) expect(host.redis(VIP, 'PING')).toBe('PONG');
    expect(lab.host('master').describe(VIP)?.prefixlen).toBe(32);

    lab.host('master').killAll9();
    lab.host('master').unplug();
    const survivor = (): string =>
      lab.hosts
        .filter((h) => h.name !== 'master' && h.holds(VIP))
        .map((h) => h.name)
        .join();
    await until(() => /^slave[12]$/.test(survivor()), { what: 'the virtual IP on one slave' });
    for (const name of ['slave1', 'slave2'])
      await until(() => hosts[name]?.redis(VIP, 'PING') === 'PONG', { what: `an answer for ${name}` });
  });
});
