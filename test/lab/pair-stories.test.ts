/**
 * The published set-ups of two hosts, as one tanist.yml in pair mode: what their authors check by hand, without their
 * scripts and their sleeps. Take-over, data kept, return, roles exchanged, and round again.
 */
import { dirname } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { needs } from '../support/needs.js';
import { requirePeer } from '../support/peers.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';
import { AgentHost } from './agent-host.js';
import { Lab, type LabOptions, needsLab } from './lab.js';

const cleanup = cleanupAfterEach();
beforeEach((context) => {
  needsLab(context);
  needs(context, 'redis-server');
  needs(context, 'redis-cli');
});

interface Pair {
  readonly vip: string;
  readonly device: string;
  readonly one: AgentHost;
  readonly two: AgentHost;
  readonly client: AgentHost;
  readonly lab: Lab;
}

/** Two hosts and a client; both agents run, and the first leads. */
async function startPair(
  vip: string,
  options: LabOptions & { readonly extra: string; readonly password?: string; readonly env?: Record<string, string> },
): Promise<Pair> {
  const names = ['one', 'two', 'client', 'gateway'].filter((name) => name in (options.addresses ?? {}));
  const lab = new Lab(cleanup, names, options);
  const folder = tempDir(cleanup);
  const [a, b] = [lab.host('one'), lab.host('two')];
  const config = [
    'mode: pair',
    `hosts: {one: ${a.address}, two: ${b.address}}`,
    `vip: ${vip}/24`,
    'state_directory: "%/state"',
    options.extra,
    '',
  ].join('\n');
  const make = (name: string): AgentHost => new AgentHost(lab.host(name), folder, config, cleanup, options.password);
  const pair = {
    vip,
    device: options.device ?? 'eth0',
    one: make('one'),
    two: make('two'),
    client: make('client'),
    lab,
  };
  const started = { env: options.env ?? {} };
  await pair.one.start(started);
  // Whoever comes first leads, unless failback says otherwise: so that it is known who that is.
  await leads(pair, pair.one, null);
  await pair.two.start(started);
  return pair;
}

/** Waits until one host leads behind the VIP, and the other, if it is to, follows it with its link up. */
async function leads(pair: Pair, leader: AgentHost, follower: AgentHost | null): Promise<void> {
  const { lab, vip, client, device } = pair;
  const look = (): boolean => {
    const holders = lab.hosts.filter((h) => h.holds(vip, device)).map((h) => h.name);
    if (holders.join() !== leader.host.name || client.role(vip) !== 'master') return false;
    if (client.role(leader.host.address) !== 'master') return false;
    if (follower === null) return true;
    const info = client.redis(follower.host.address, 'INFO', 'replication');
    return info.includes(`master_host:${leader.host.address}`) && info.includes('master_link_status:up');
  };
  const what = `${leader.host.name} to lead${follower === null ? '' : ', and the other to follow'}`;
  await until(look, { what, deadline_ms: 30_000, interval_ms: 50 }).catch((error: Error) => {
    const logs = [pair.one, pair.two].map(({ host, agent }) => `--- ${host.name}:\n${agent.output.slice(-4000)}`);
    throw new Error(`${error.message}\n${logs.join('\n')}`);
  });
}

describe('a pair of 192.168.0.100 and .101 behind 192.168.0.200', () => {
  const options = { addresses: { one: '192.168.0.100', two: '192.168.0.101', client: '192.168.0.9' } };
  const vip = '192.168.0.200';

  it('takes over, keeps the data, exchanges roles, and back again', async () => {
    const pair = await startPair(vip, { ...options, extra: 'redis: {directory: "%/redis"}\nfailback: never' });
    const { one, two, client } = pair;
    await leads(pair, one, two);
    for (const order of ['FAILOVER mymaster', 'PAUSE * off']) {
      const sentinel = [requirePeer('redis-cli').path, '-h', one.host.address, '-p', '26379', 'SENTINEL'] as const;
      expect(one.host.exec(...sentinel, ...order.split(' '))).toContain('in pair mode VRRP decides');
    }
    expect(client.redis(vip, 'SET', 'Hello', 'Redis')).toBe('OK');
    for (const { host } of [one, two]) {
      await until(() => client.redis(host.address, 'GET', 'Hello') === 'Redis', { what: `the value on ${host.name}` });
    }
    let [leader, follower] = [one, two];
    const written = ['Hello'];
    for (const round of ['first', 'second']) {
      process.kill(leader.redisPid(), 'SIGKILL');
      // The fallen one is started again by its agent, and comes back as a replica that has everything.
      await leads(pair, follower, leader);
      expect(client.redis(vip, 'SET', round, round)).toBe('OK');
      written.push(round);
      const behind = leader.host.address;
      await until(() => client.redis(behind, 'GET', round) === round, { what: `the ${round} value on the fallen one` });
      for (const at of [vip, behind]) expect(client.redis(at, 'EXISTS', ...written)).toBe(String(written.length));
      [leader, follower] = [follower, leader];
    }
  });

  it('gives the place back to the first host when failback says so, with all that was written meanwhile', async () => {
    const pair = await startPair(vip, { ...options, extra: 'redis: {directory: "%/redis"}\nfailback: {after: 2s}' });
    const { one, two, client } = pair;
    await leads(pair, one, two);
    expect(client.redis(vip, 'SET', 'Hello', 'Redis')).toBe('OK');
    // The whole host is cut off. It comes back with an old data set, and must not bring that back.
    one.host.unplug();
    await leads(pair, two, null);
    expect(client.redis(vip, 'GET', 'Hello')).toBe('Redis');
    expect(client.redis(vip, 'SET', 'meanwhile', 'kept')).toBe('OK');
    one.host.plug();
    await leads(pair, one, two);
    expect(client.redis(vip, 'MGET', 'Hello', 'meanwhile').split('\n')).toEqual(['Redis', 'kept']);
    expect(client.redis(vip, 'SET', 'after', 'all')).toBe('OK');
  });

  it('takes over from a host that loses its power, and from an agent that is killed or frozen', async () => {
    const pair = await startPair(vip, { ...options, extra: 'redis: {directory: "%/redis"}' });
    const { one, two, client } = pair;
    await leads(pair, one, two);
    expect(client.redis(vip, 'SET', 'Hello', 'Redis')).toBe('OK');
    await until(() => client.redis(two.host.address, 'GET', 'Hello') === 'Redis', { what: 'the value on two' });
    one.host.killAll9();
    await leads(pair, two, null);
    expect(client.redis(vip, 'GET', 'Hello')).toBe('Redis');
    await one.start();
    await leads(pair, two, one);
    expect(client.redis(vip, 'SET', 'second', 'value')).toBe('OK');
    await until(() => client.redis(one.host.address, 'GET', 'second') === 'value', { what: 'the value on one' });
    two.agent.freeze();
    await leads(pair, one, null);
    two.agent.thaw();
    await leads(pair, one, two);
    expect(client.redis(vip, 'MGET', 'Hello', 'second').split('\n')).toEqual(['Redis', 'value']);
    await one.agent.kill9();
    await leads(pair, two, null);
    // Its Redis went on, as a master that nobody reaches by the VIP; the next agent takes it back in.
    await one.start();
    await leads(pair, two, one);
    expect(client.redis(vip, 'MGET', 'Hello', 'second').split('\n')).toEqual(['Redis', 'value']);
  });
});

describe('a pair with an arbiter', () => {
  const addresses = { one: '10.0.0.1', two: '10.0.0.2', client: '10.0.0.9', gateway: '10.0.0.254' };
  const vip = '10.0.0.100';

  it('stops the host that is cut off from the other and the arbiter, and goes on without a dead arbiter', async (context) => {
    const env = { PATH: `${dirname(needs(context, 'ping').path)}:${process.env['PATH']}` };
    const extra = `arbiter: ${addresses.gateway}\nredis: {directory: "%/redis"}`;
    const pair = await startPair(vip, { addresses, extra, env });
    const { client, lab } = pair;
    await until(() => client.role(vip) === 'master', { what: 'a leader' });
    const [one, two] = pair.one.host.holds(vip) ? [pair.one, pair.two] : [pair.two, pair.one];
    await leads(pair, one, two);
    // With the carrier up: nothing but the silence tells the host that it is alone.
    const unblock = [one.host.block({ direction: 'in', match: 'iifname eth0' })];
    unblock.push(one.host.block({ direction: 'out', match: 'oifname eth0' }));
    await leads(pair, two, null);
    await until(() => one.role(one.host.address) === 'slave', { what: 'the Redis that is cut off to follow' });
    expect(one.redis(one.host.address, 'SET', 'lost', 'x')).toContain('READONLY');
    const cutOff = `the arbiter 10.0.0.254 does not answer, and ${two.host.name} cannot be reached`;
    expect(one.status()).toContain(cutOff);
    expect(client.redis(vip, 'SET', 'kept', 'y')).toBe('OK');
    for (const end of unblock) end();
    await leads(pair, two, one);
    lab.host('gateway').unplug();
    for (const host of [one, two]) await host.agent.untilOutput(/does not answer; (one|two) can be reached/);
    await leads(pair, two, one);
    expect(two.status()).toContain(`${one.host.name} can be reached, so this host goes on without it`);
    // Its kernel still answers for it: the one that is left is not cut off.
    await two.agent.stop();
    await leads(pair, one, null);
    expect(client.redis(vip, 'GET', 'kept')).toBe('y');
  });
});

describe('a pair of 192.168.158.11 and .12 with a password, on ens33', () => {
  const options = {
    addresses: { one: '192.168.158.11', two: '192.168.158.12', client: '192.168.158.9' },
    device: 'ens33',
    password: '78e13a',
  };
  const vip = '192.168.158.13';

  it('takes over when Redis is ended, and returns to the first', async () => {
    const extra = 'redis: {directory: "%/redis", password: 78e13a}\nfailback: {after: 1s}';
    const pair = await startPair(vip, { ...options, extra });
    const { one, two, client } = pair;
    await leads(pair, one, two);
    expect(client.redis(vip, 'SET', 'test01', 'nosql')).toBe('OK');
    await until(() => client.redis(two.host.address, 'KEYS', '*') === 'test01', { what: 'the key on two' });
    await one.agent.stop();
    await leads(pair, two, null);
    expect(client.redis(vip, 'KEYS', '*')).toBe('test01');
    expect(client.redis(vip, 'SET', 'test02', 'nosql')).toBe('OK');
    await one.start();
    await leads(pair, one, two);
    expect(client.redis(vip, 'KEYS', '*').split('\n').sort()).toEqual(['test01', 'test02']);
  });
});
