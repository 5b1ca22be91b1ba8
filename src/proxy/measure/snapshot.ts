/** All statistics of a proxy at one moment, as plain data: the pages are made from it, and it crosses to other processes. */
import type { Pool } from '../forward/pool.js';
import type { Shard } from '../forward/shard.js';
import { PoolStats, ServerStats } from '../forward/stats.js';
import type { CommandLatency } from './latency.js';

export interface ServerSnapshot {
  readonly label: string;
  readonly stats: ServerStats;
  /** It takes requests now. */
  readonly up: boolean;
}

export interface PoolSnapshot {
  readonly name: string;
  readonly stats: PoolStats;
  /** Connections with clients and with servers: since the start, and now. */
  readonly totalConnections: number;
  readonly currentConnections: number;
  readonly slowRequests: number;
  readonly servers: readonly ServerSnapshot[];
  readonly commands: readonly CommandLatency[];
}

export interface Snapshot {
  readonly version: string;
  /** On the clock of the day. */
  readonly startedAt_ms: number;
  readonly pools: readonly PoolSnapshot[];
}

/** Whoever has statistics to show. */
export interface StatsSource {
  snapshot(): Promise<Snapshot>;
}

export function snapshotOf(pool: Pool): PoolSnapshot {
  return {
    name: pool.config.name,
    stats: Object.assign(new PoolStats(), pool.stats),
    totalConnections: pool.totalConnections,
    currentConnections: pool.currentConnections,
    slowRequests: pool.slowLog.total,
    servers: pool.shards.map(serverOf),
    commands: pool.latency.used(),
  };
}

function serverOf(shard: Shard): ServerSnapshot {
  const stats = Object.assign(new ServerStats(), shard.stats);
  stats.in_queue = shard.heldCount;
  for (const link of shard.everyLink()) {
    stats.out_queue += link.pending.count;
    stats.in_queue_bytes += link.unsent_bytes;
  }
  return { label: shard.config.label, stats, up: shard.open && shard.pool.ring.isLive(shard.index) };
}
