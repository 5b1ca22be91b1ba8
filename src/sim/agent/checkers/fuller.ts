/**
 * An empty Redis, or one that has less, does not lead while a fuller one lives.
 *
 * Looked at in the moment in which a keeper begins to lead. *Lives*: process, agent and network of the other have been well
 * for some time, so that all could have heard of it. *Fuller*: it holds every write that ours holds, and more; or ours
 * holds none and it some. With durability only what was acknowledged counts: a master that could not have its last writes
 * confirmed may live on with them beside the one that was proven to lack nothing.
 */
import type { Write } from '../../message.js';
import type { GroupPlan } from '../plan.js';
import type { Room } from '../room.js';
import type { AgentWorld } from '../world.js';

/** All that is well for so long is known to all. */
const WELL_MS = 2_500;

/** @returns who is fuller, in words, or null. */
export function fullerSibling(world: AgentWorld, group: GroupPlan, room: Room): string | null {
  const since = world.loop.now - WELL_MS;
  if (world.networkTroubledAt > since) return null;
  // Whoever forces a change takes the loss.
  if ((world.forcedAt.get(group.name) ?? Number.NEGATIVE_INFINITY) > since) return null;
  // Adverts that come late or not at all elect both of a pair, however long that lasts.
  if (world.plan.mode === 'pair' && world.network.troubled) return null;
  const counted = (writes: readonly Write[]): Set<number> => {
    const ids = writes.map(({ id }) => id);
    return new Set(group.durability === 'replicated' ? ids.filter((id) => world.acknowledgedWrites.has(id)) : ids);
  };
  const ours = counted(room.redis.process.data.writes);
  for (const index of group.hosts) {
    const host = world.hosts[index];
    const other = host?.redises.get(group.name);
    if (host === undefined || other === undefined || other === room.redis) continue;
    // A cut that lasts longer than that began before, and is no better known for it: in a pair both lead then.
    if (world.network.isCut(host.host, room.host.host) || world.network.isCut(room.host.host, host.host)) continue;
    const { process, disturbedAt } = other;
    if (!process.alive || process.loading || process.gate.closed || disturbedAt > since) continue;
    if (!host.agent.alive || host.agent.gate.closed || host.agent.disturbedAt > since) continue;
    const theirs = counted(process.data.writes);
    const isFuller = theirs.size > ours.size && [...ours].every((id) => theirs.has(id));
    if (isFuller) return `${room.redis.name} leads with ${ours.size} writes, ${other.name} has ${theirs.size}`;
  }
  return null;
}
