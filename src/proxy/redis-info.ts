/** INFO: what the proxy says about a pool, in Redis's sections. */
import { hostname } from 'node:os';
import type { Pool } from './forward/pool.js';
import type { Shard } from './forward/shard.js';
import { countOf, percentile_us } from './measure/latency.js';

const SECTIONS: ReadonlyMap<string, (pool: Pool) => string[]> = new Map([
  ['server', server],
  ['clients', clients],
  ['proxy', proxy],
  ['commandstats', commandStats],
  ['latencystats', latencyStats],
]);
/** What INFO alone shows; Redis, too, shows the others only on demand. */
const BY_DEFAULT = ['server', 'clients', 'proxy'];

/** The text of these sections, by their names in lower case; of the usual ones when none is named. */
export function infoText(pool: Pool, names: readonly string[]): string {
  const wanted = new Set(names.length === 0 ? BY_DEFAULT : names);
  if (wanted.has('default')) for (const name of BY_DEFAULT) wanted.add(name);
  const all = wanted.has('all') || wanted.has('everything');
  const shown = [...SECTIONS].filter(([name]) => all || wanted.has(name));
  return shown.map(([, lines]) => `${lines(pool).join('\r\n')}\r\n`).join('\r\n');
}

function server(pool: Pool): string[] {
  return [
    '# Server',
    'redis_version:7.0.0',
    `tanist_version:${pool.version}`,
    'redis_mode:standalone',
    `process_id:${process.pid}`,
    `host:${hostname()}`,
    `uptime_in_seconds:${Math.floor(process.uptime())}`,
  ];
}

function clients(pool: Pool): string[] {
  return ['# Clients', `connected_clients:${pool.stats.client_connections}`];
}

function proxy(pool: Pool): string[] {
  return [
    '# Proxy',
    `pool:${pool.config.name}`,
    `distribution:${pool.config.distribution}`,
    `hash:${pool.config.hash}`,
    `shards:${pool.shards.length}`,
    ...pool.shards.map(
      (shard) =>
        `shard${shard.index}:name=${shard.config.label},addr=${shard.addressText},state=${shardState(shard)},requests=${shard.stats.requests},waiting=${shard.heldCount}${readableReplicas(shard)}`,
    ),
  ];
}

function readableReplicas({ replicas, pool }: Shard): string {
  return replicas === null ? '' : `,readable_replicas=${replicas.fitCount(pool.turn.now)}`;
}

function shardState(shard: Shard): string {
  if (!shard.open) return 'no-master';
  return shard.pool.ring.isLive(shard.index) ? 'up' : 'ejected';
}

function commandStats(pool: Pool): string[] {
  const lines = pool.latency.used().map((command) => {
    const calls = countOf(command);
    return `cmdstat_${command.name}:calls=${calls},usec=${command.sum_us},usec_per_call=${(command.sum_us / calls).toFixed(2)}`;
  });
  return ['# Commandstats', ...lines];
}

function latencyStats(pool: Pool): string[] {
  const lines = pool.latency.used().map((command) => {
    const shares = [50, 99, 99.9].map((share) => `p${share}=${percentile_us(command, share / 100).toFixed(3)}`);
    return `latency_percentiles_usec_${command.name}:${shares.join(',')}`;
  });
  return ['# Latencystats', ...lines];
}
