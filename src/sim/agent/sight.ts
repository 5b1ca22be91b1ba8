/** What can be seen of one group on one host, from outside and at one moment. */
import type { AgentHost } from './agent-host.js';

/** A process that was halted or is new is given this to catch up. */
const UNDISTURBED_MS = 1_500;

export interface HostSight {
  readonly name: string;
  /** The VIP is on the host. */
  readonly vip: boolean;
  /** A client that wrote now would be told that it has been done. */
  readonly writable: boolean;
  /** Until when the keeper counts on its lease; before all time when it never has. */
  readonly leasedUntil: number;
  /** Whether agent, Redis and router have been running for a while, without a halt. */
  readonly agentSteady: boolean;
  readonly redisSteady: boolean;
  readonly routerSteady: boolean;
}

export function sightOf(host: AgentHost, group: string): HostSight | null {
  const redis = host.redises.get(group);
  const router = host.routers.get(group);
  if (redis === undefined || router === undefined) return null;
  const { agent, name, context } = host;
  const since = context.loop.now - UNDISTURBED_MS;
  const { process } = redis;
  return {
    name,
    vip: router.holds,
    writable: process.writable && !process.gate.closed,
    leasedUntil: host.leasedUntil(group),
    agentSteady: agent.alive && !agent.gate.closed && agent.manners.disk_ms === 0 && agent.disturbedAt < since,
    redisSteady: process.alive && !process.gate.closed && redis.disturbedAt < since,
    routerSteady: router.alive && !router.gate.closed && router.disturbedAt < since,
  };
}
