/** The node agent with real servers: three agents on loopback by one tanist.yml. */
import { describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../../src/agent/view.js';
import { AgentCluster, type AgentHost } from '../support/agent-cluster.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { needs } from '../support/needs.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();

const DEADLINE_MS = 60_000;

async function others(cluster: AgentCluster, leader: AgentHost): Promise<AgentHost[]> {
  return cluster.hosts.filter((host) => host !== leader);
}

/** Redis replicates after it has answered: what must survive a kill has to have arrived. */
async function onReplicas(cluster: AgentCluster, leader: AgentHost, key: string, value: string): Promise<void> {
  for (const host of await others(cluster, leader)) {
    await until(async () => (await host.redis('GET', key)) === value, { what: `${key} on ${host.name}` });
  }
}

/** How a host tells the changes of master in its history. */
async function changesAt(host: AgentHost): Promise<string[]> {
  const { body } = await host.api<readonly HistoryEntry[]>('/history');
  return body.map(({ what }) => what).filter((what) => what === 'failover' || what === 'switchover');
}

describe('three agents', () => {
  it('bring up one master, and another when its Redis is killed; the proxy goes on and no write is lost', {
    timeout: DEADLINE_MS,
  }, async (context) => {
    const { path } = needs(context, 'redis-server');
    const cluster = await AgentCluster.create(cleanup, { program: path });
    const first = await cluster.start();
    expect(await first.proxy('SET', 'before', 'the kill')).toBe('OK');
    const [other] = await others(cluster, first);
    await onReplicas(cluster, first, 'before', 'the kill');
    process.kill(first.redisPid(), 'SIGKILL');
    // Held by the proxy until there is a master again, then acknowledged by that one. A request that was under way when
    // the connection broke gets an error, since it may have been executed: it is repeated.
    await until(async () => (await other?.proxy('SET', 'during', 'the failover')) === 'OK', { what: 'a write' });
    const second = await cluster.settled();
    expect(second.name).not.toBe(first.name);
    expect(await second.redis('MGET', 'before', 'during')).toEqual(['the kill', 'the failover']);
    // The killed one is back, as a replica with the same data.
    expect(await first.redis('MGET', 'before', 'during')).toEqual(['the kill', 'the failover']);
    await expect(first.redis('SET', 'x', 'y')).rejects.toThrow('READONLY');
    expect(await second.sentinel('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster')).toEqual([
      second.address,
      String(cluster.ports.redis),
    ]);
  });

  it('hand the master over as planned, and back', { timeout: DEADLINE_MS }, async (context) => {
    const { path } = needs(context, 'redis-server');
    const cluster = await AgentCluster.create(cleanup, { program: path });
    const first = await cluster.start();
    const [target, asked] = await others(cluster, first);
    expect(await first.proxy('SET', 'key', '1')).toBe('OK');
    // Right after the start the target may still be without its first copy: until then the order is refused.
    const order = async () => (await asked?.api('/switchover', 'POST', { to: target?.name }))?.status === 200;
    await until(order, { what: 'a switchover that is carried out', interval_ms: 200 });
    expect((await cluster.settled()).name).toBe(target?.name);
    expect(await asked?.proxy('INCR', 'key')).toBe(2);
    const back = await asked?.api('/switchover', 'POST', { to: first.name });
    expect(back).toMatchObject({ status: 200 });
    expect((await cluster.settled()).name).toBe(first.name);
    expect(await asked?.proxy('INCR', 'key')).toBe(3);
    // Every host has heard of the plan before it heard who leads.
    for (const host of cluster.hosts) {
      await until(async () => (await changesAt(host)).length === 2, {
        what: `both changes in the history of ${host.name}`,
      });
      expect(await changesAt(host)).toEqual(['switchover', 'switchover']);
    }
  });

  it('take over when an agent is killed, and adopt its Redis again', { timeout: DEADLINE_MS }, async (context) => {
    const { path } = needs(context, 'redis-server');
    const cluster = await AgentCluster.create(cleanup, { program: path });
    const first = await cluster.start();
    const [other] = await others(cluster, first);
    expect(await other?.proxy('SET', 'key', '1')).toBe('OK');
    await onReplicas(cluster, first, 'key', '1');
    const pid = first.redisPid();
    await first.agent?.kill9();
    // Its Redis lives, but nobody renews the lease: the others take over, and order it to follow.
    expect(await other?.proxy('INCR', 'key')).toBe(2);
    await until(async () => ((await first.redis('ROLE')) as unknown[])[0] === 'slave', {
      what: 'the Redis without an agent to be demoted',
    });
    first.start();
    const second = await cluster.settled();
    expect(second.name).not.toBe(first.name);
    expect(first.redisPid()).toBe(pid);
    expect(await first.redis('GET', 'key')).toBe('2');
  });

  it('do nothing by themselves while paused', { timeout: DEADLINE_MS }, async (context) => {
    const { path } = needs(context, 'redis-server');
    const cluster = await AgentCluster.create(cleanup, { program: path });
    const first = await cluster.start();
    const [other] = await others(cluster, first);
    expect(await other?.api('/pause', 'POST', {})).toMatchObject({ status: 200 });
    process.kill(first.redisPid(), 'SIGKILL');
    await until(async () => (await other?.view())?.groups[0]?.members.some(({ state }) => state === 'failed'), {
      what: 'the dead Redis to be seen',
    });
    expect((await other?.view())?.groups[0]).toMatchObject({ leader: first.name, paused: true });
    expect(await other?.api('/resume', 'POST', {})).toMatchObject({ status: 200 });
    // Whoever leads then: an heir, or the first one, whose agent may start it again now.
    await cluster.settled();
  });
});
