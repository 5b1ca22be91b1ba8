import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { needs } from '../support/needs.js';
import { requirePeer } from '../support/peers.js';
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
  it('takes over, keeps the data, exchanges roles, and back again', async () => {
    const pair = await startPair(cleanup, vip, {
      ...PUBLISHED,
      extra: 'redis: {directory: "%/redis"}\nfailback: never',
    });
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
});
