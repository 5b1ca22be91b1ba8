/** Since when nothing has gone wrong in a world of agents. */
import type { AgentHost } from './agent-host.js';
import type { AgentWorld } from './world.js';

/**
 * Since when network and processes have been well, in virtual time; now, while one of them is not.
 * @param leaves a host whose agent, with its routers, is not looked at: it was told to end
 */
export function undisturbedSince(world: AgentWorld, leaves: AgentHost | null): number {
  const { now } = world.loop;
  let last = world.network.troubled ? now : world.networkTroubledAt;
  for (const one of world.hosts) {
    const { host, redises } = one;
    last = Math.max(last, host.up ? last : now, one === leaves ? last : agentSince(one));
    for (const { process, disturbedAt } of redises.values()) {
      const isWell = process.alive && !process.loading && !process.gate.closed;
      last = Math.max(last, disturbedAt, isWell ? last : now);
    }
  }
  return last;
}

/** The same, and that no replica is taking over the data of its master. */
export function quietSince(world: AgentWorld): number {
  const isSyncing = world.hosts.some(({ redises }) =>
    [...redises.values()].some((each) => each.process.upstream.syncing),
  );
  return isSyncing ? world.loop.now : undisturbedSince(world, null);
}

function agentSince({ agent, routers, context }: AgentHost): number {
  const { now } = context.loop;
  const isWell = agent.alive && !agent.isLeaving && !agent.gate.closed && agent.manners.disk_ms === 0;
  let last = Math.max(agent.disturbedAt, isWell ? agent.disturbedAt : now);
  for (const router of routers.values()) {
    last = Math.max(last, router.disturbedAt, router.alive && !router.gate.closed ? last : now);
  }
  return last;
}
