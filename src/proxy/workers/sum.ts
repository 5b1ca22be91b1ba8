/** The statistics of several workers as those of one proxy. Pure. */
import { PoolStats, ServerStats } from '../forward/stats.js';
import type { CommandLatency } from '../measure/latency.js';
import type { PoolSnapshot, ServerSnapshot, Snapshot } from '../measure/snapshot.js';

/** What is now, as against what has been since the start: it ends with its process. */
const POOL_GAUGES: readonly (keyof PoolStats)[] = ['client_connections'];
const SERVER_GAUGES: readonly (keyof ServerStats)[] = [
  'server_connections',
  'in_queue',
  'in_queue_bytes',
  'out_queue',
  'out_queue_bytes',
];

/** Puts the entries of the same name together; the order is that of their first appearance. */
function grouped<T>(entries: readonly T[], nameOf: (entry: T) => string): [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const entry of entries) {
    const group = groups.get(nameOf(entry));
    if (group === undefined) groups.set(nameOf(entry), [entry]);
    else group.push(entry);
  }
  return [...groups.values()];
}

function total<T>(entries: readonly T[], value: (entry: T) => number): number {
  return entries.reduce((sum, entry) => sum + value(entry), 0);
}

function sumPoolStats(all: readonly PoolStats[]): PoolStats {
  const sum = new PoolStats();
  for (const name of Object.keys(sum) as (keyof PoolStats)[]) sum[name] = total(all, (stats) => stats[name]);
  return sum;
}

function sumServerStats(all: readonly ServerStats[]): ServerStats {
  const sum = new ServerStats();
  for (const name of Object.keys(sum) as (keyof ServerStats)[]) sum[name] = total(all, (stats) => stats[name]);
  // A time, of which the latest counts.
  sum.server_ejected_at = Math.max(...all.map((stats) => stats.server_ejected_at));
  return sum;
}

function sumServer(all: readonly [ServerSnapshot, ...ServerSnapshot[]]): ServerSnapshot {
  const stats = sumServerStats(all.map((server) => server.stats));
  return { label: all[0].label, stats, up: all.every(({ up }) => up) };
}

function sumCommand(all: readonly [CommandLatency, ...CommandLatency[]]): CommandLatency {
  const counts = all[0].counts.map((_, bucket) => total(all, (each) => each.counts[bucket] ?? 0));
  return { name: all[0].name, sum_us: total(all, ({ sum_us }) => sum_us), counts };
}

function sumPool(all: readonly [PoolSnapshot, ...PoolSnapshot[]]): PoolSnapshot {
  return {
    name: all[0].name,
    stats: sumPoolStats(all.map(({ stats }) => stats)),
    totalConnections: total(all, (pool) => pool.totalConnections),
    currentConnections: total(all, (pool) => pool.currentConnections),
    slowRequests: total(all, (pool) => pool.slowRequests),
    servers: grouped(
      all.flatMap(({ servers }) => servers),
      ({ label }) => label,
    ).map(sumServer),
    commands: grouped(
      all.flatMap(({ commands }) => commands),
      ({ name }) => name,
    ).map(sumCommand),
  };
}

/** Adds up pools, servers and commands of the same name. */
export function sumOf(pools: readonly PoolSnapshot[]): PoolSnapshot[] {
  return grouped(pools, ({ name }) => name).map(sumPool);
}

/** What remains of a process that has ended: what it counted, and nothing that it held. */
export function remainsOf({ pools }: Snapshot): PoolSnapshot[] {
  return pools.map((pool) => {
    const stats = Object.assign(new PoolStats(), pool.stats);
    for (const name of POOL_GAUGES) stats[name] = 0;
    const servers = pool.servers.map((server) => {
      const serverStats = Object.assign(new ServerStats(), server.stats);
      for (const name of SERVER_GAUGES) serverStats[name] = 0;
      return { ...server, stats: serverStats, up: true };
    });
    return { ...pool, stats, servers, currentConnections: 0 };
  });
}

/** The pools that are there now with what ended processes counted for them; other pools have been removed. */
export function withRemains(now: readonly PoolSnapshot[], remains: readonly PoolSnapshot[]): PoolSnapshot[] {
  const kept = remains.flatMap((pool) => {
    const same = now.filter(({ name }) => name === pool.name);
    const labels = new Set(same.flatMap(({ servers }) => servers.map(({ label }) => label)));
    return same.length === 0 ? [] : [{ ...pool, servers: pool.servers.filter(({ label }) => labels.has(label)) }];
  });
  return sumOf([...now, ...kept]);
}
