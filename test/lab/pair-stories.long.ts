/**
 * The published set-ups of two hosts, as one tanist.yml in pair mode: what their authors check by hand, without their
 * scripts and their sleeps. Take-over, data kept, return, roles exchanged, and round again.
 */
import { dirname } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { needs } from '../support/needs.js';
import { until } from '../support/until.js';
import { needsLab } from './lab.js';
import { leads, PUBLISHED, startPair, PUBLISHED_VIP as vip } from './pair-scene.js';

const cleanup = cleanupAfterEach();
beforeEach((context) => {
  needsLab(context);
  needs(context, 'redis-server');
  needs(context, 'redis-cli');
});

describe('a pair of 192.168.0.100 and .101 behind 192.168.0.200', () => {
  it('gives the place back to the first host when failback says so, with all that was written meanwhile', async () => {
    const pair = await startPair(cleanup, vip, {
      ...PUBLISHED,
      extra: 'redis: {directory: "%/redis"}\nfailback: {after: 2s}',
    });
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
    const pair = await startPair(cleanup, vip, { ...PUBLISHED, extra: 'redis: {directory: "%/redis"}' });
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

it('a pair becomes a quorum with a witness, as docs/operations.md says, and its Sentinels decide from then on', async () => {
  const { addresses } = PUBLISHED;
  const pair = await startPair(cleanup, vip, { addresses, extra: 'redis: {directory: "%/redis"}' });
  const { one, two, client: witness } = pair;
  await leads(pair, one, two);
  expect(witness.redis(vip, 'SET', 'before', 'the change')).toBe('OK');
  await two.agent.stop();
  const quorum = [
    `hosts: {one: ${addresses.one}, two: ${addresses.two}, w: {address: ${addresses.client}, witness: true}}`,
    `vip: ${vip}/24`,
    'state_directory: "%/state"',
    'redis: {directory: "%/redis"}',
    '',
  ].join('\n');
  for (const host of [one, two, witness]) host.configure(quorum);
  const started = witness.start();
  await one.agent.stop();
  await Promise.all([started, one.start()]);
  await two.start();
  await leads(pair, one, two);
  expect(one.status()).not.toContain('paused');
  process.kill(one.redisPid(), 'SIGKILL');
  await leads(pair, two, one);
  expect(witness.redis(vip, 'GET', 'before')).toBe('the change');
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
    const pair = await startPair(cleanup, vip, { ...options, extra });
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

describe('a pair with an arbiter', () => {
  const addresses = { one: '10.0.0.1', two: '10.0.0.2', client: '10.0.0.9', gateway: '10.0.0.254' };
  const vip = '10.0.0.100';

  it('stops the host that is cut off from the other and the arbiter, and goes on without a dead arbiter', async (context) => {
    const env = { PATH: `${dirname(needs(context, 'ping').path)}:${process.env['PATH']}` };
    const extra = `arbiter: ${addresses.gateway}\nredis: {directory: "%/redis"}`;
    const pair = await startPair(cleanup, vip, { addresses, extra, env });
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
