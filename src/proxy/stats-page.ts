/** The statistics as nutcracker's monitoring port gives them: one JSON object. */
import { hostname } from 'node:os';
import type { ServerStats } from './forward/stats.js';
import type { Snapshot } from './measure/snapshot.js';

/** The page as an object. */
export function statsObject({ pools, version, startedAt_ms }: Snapshot, now_ms: number): Record<string, unknown> {
  const page: Record<string, unknown> = {
    service: 'nutcracker',
    source: hostname(),
    version,
    uptime: Math.floor((now_ms - startedAt_ms) / 1000),
    timestamp: Math.floor(now_ms / 1000),
    total_connections: pools.reduce((sum, pool) => sum + pool.totalConnections, 0),
    curr_connections: pools.reduce((sum, pool) => sum + pool.currentConnections, 0),
  };
  for (const pool of pools) {
    const servers = pool.servers.map(({ label, stats }): [string, ServerStats] => [label, stats]);
    page[pool.name] = { ...pool.stats, ...Object.fromEntries(servers) };
  }
  return page;
}
