/**
 * What a master may lose whose agent has died: writes that it acknowledges after its lease. min-replicas-to-write, which its
 * keeper has set, ends that as soon as its replicas have left it (docs/lease.md).
 */
import type { AgentHost } from '../agent-host.js';

/** What Redis knows of a replica's lag has a grain of a second. */
const GRAIN_MS = 1_000;
/** As `limits.ts` has them. */
const LAG_MIN_MS = 2_000;

/** Looked at when it has acknowledged a write without a lease. @returns what is wrong, or null */
export function whyUnbounded(host: AgentHost, group: string, now: number): string | null {
  const redis = host.redises.get(group);
  if (redis === undefined || host.agent.alive || !host.bounded.has(group)) return null;
  const lagMax_ms = Math.max(LAG_MIN_MS, Math.ceil(host.world.plan.ttl_ms / 1_000) * 1_000) + GRAIN_MS;
  const silent_ms = now - redis.process.replicas.lastAckAt;
  if (silent_ms <= lagMax_ms) return null;
  return `${redis.name} takes writes ${Math.round(silent_ms)} ms after a replica was heard last`;
}
