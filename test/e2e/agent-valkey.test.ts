/** The node agent with Valkey in the place of Redis. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AgentCluster } from '../support/agent-cluster.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { needs } from '../support/needs.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();

it('keeps Valkey as it keeps Redis: failover, switchover, adoption, data put aside', {
  timeout: 90_000,
}, async (context) => {
  const { path } = needs(context, 'valkey-server');
  const cluster = await AgentCluster.create(cleanup, { program: path });
  const first = await cluster.start();
  expect(await first.redis('INFO', 'server')).toContain('server_name:valkey');
  const version = /valkey_version:(\S+)/.exec(String(await first.redis('INFO', 'server')))?.[1];
  const seen = (await first.view()).groups[0]?.members.map((member) => member.version);
  expect(seen).toEqual([version, version, version]);

  expect(await first.proxy('SET', 'count', '1')).toBe('OK');
  for (const host of cluster.hosts)
    await until(async () => (await host.redis('GET', 'count')) === '1', { what: 'a copy' });
  process.kill(first.redisPid(), 'SIGKILL');
  await until(async () => (await first.proxy('SET', 'during', 'the failover')) === 'OK', { what: 'a write' });
  const second = await cluster.settled();
  expect(await second.redis('MGET', 'count', 'during')).toEqual(['1', 'the failover']);

  const [target, third] = cluster.hosts.filter((host) => host !== second);
  if (target === undefined || third === undefined) throw new Error('three hosts');
  // Right after the failover the target may still be without its copy: until then the order is refused.
  const order = async () => (await third.api('/switchover', 'POST', { to: target.name })).status === 200;
  await until(order, { what: 'a switchover that is carried out', interval_ms: 200 });
  expect((await cluster.settled()).name).toBe(target.name);
  expect(await third.proxy('INCR', 'count')).toBe(2);

  // While no agent runs, a replica is made a master by hand, and both take a write that the other does not get.
  const pids = cluster.hosts.map((host) => host.redisPid());
  await Promise.all(cluster.hosts.map((host) => host.agent?.kill9()));
  await third.redis('REPLICAOF', 'NO', 'ONE');
  await third.redis('CONFIG', 'SET', 'min-replicas-to-write', '0');
  expect(await third.redis('SET', 'stray', 'write')).toBe('OK');
  await target.redis('CONFIG', 'SET', 'min-replicas-to-write', '0');
  expect(await target.redis('INCR', 'count')).toBe(3);
  for (const host of cluster.hosts) host.start();
  expect((await cluster.settled(40_000)).name).toBe(target.name);
  expect(cluster.hosts.map((host) => host.redisPid())).toEqual(pids);
  expect(await third.redis('MGET', 'count', 'stray')).toEqual(['3', null]);
  expect(readdirSync(join(cluster.directory, 'redis', third.name, 'saved'))).toHaveLength(1);
});
