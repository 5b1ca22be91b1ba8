/** The statistics as nutcracker's monitoring port gives them: one JSON object, then the end of the connection. */
import { createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import type { Pool } from './forward/pool.js';
import type { Shard } from './forward/shard.js';

export interface StatsSource {
  readonly version: string;
  readonly startedAt_ms: number;
  pools(): Iterable<Pool>;
}

/** The page as an object, for those who want it by another way. */
export function statsObject(source: StatsSource, now_ms: number): Record<string, unknown> {
  const pools = [...source.pools()];
  const page: Record<string, unknown> = {
    service: 'nutcracker',
    source: hostname(),
    version: source.version,
    uptime: Math.floor((now_ms - source.startedAt_ms) / 1000),
    timestamp: Math.floor(now_ms / 1000),
    total_connections: pools.reduce((sum, pool) => sum + pool.totalConnections, 0),
    curr_connections: pools.reduce((sum, pool) => sum + pool.currentConnections, 0),
  };
  for (const pool of pools) {
    const servers = pool.shards.map((shard) => [shard.config.label, serverObject(shard)] as const);
    page[pool.config.name] = { ...pool.stats, ...Object.fromEntries(servers) };
  }
  return page;
}

function serverObject(shard: Shard): Record<string, unknown> {
  let inQueue = 0;
  let inQueue_bytes = 0;
  let outQueue = 0;
  for (const link of shard.allLinks()) {
    outQueue += link.pending.count;
    inQueue_bytes += link.unsent_bytes;
  }
  inQueue += shard.heldCount;
  return { ...shard.stats, in_queue: inQueue, in_queue_bytes: inQueue_bytes, out_queue: outQueue };
}

/** Serves the page to whoever connects. */
export function createStatsServer(source: StatsSource): Server {
  return createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.end(`${JSON.stringify(statsObject(source, Date.now()))}\n`);
    socket.setTimeout(5_000, () => socket.destroy());
    socket.on('end', () => socket.destroySoon());
  });
}
