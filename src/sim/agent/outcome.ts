/** How the groups stand: whether all is as it should be, and what the master holds. */
import { currentMasterAddress } from '../../sentinel/core/names.js';
import type { GroupOutcome } from '../fact.js';
import type { GroupPlan } from './plan.js';
import type { AgentWorld } from './world.js';

/** What is not yet as it should be in any group, or null. */
export function disagreement(world: AgentWorld): string | null {
  for (const group of world.plan.groups) {
    const what = disagreementOf(world, group);
    if (what !== null) return `${group.name}: ${what}`;
  }
  return null;
}

function disagreementOf(world: AgentWorld, group: GroupPlan): string | null {
  const named = masterOf(world, group);
  if ('wrong' in named) return named.wrong;
  const { index, epoch } = named;
  if (group.failback.when === 'after' && index !== group.hosts[0])
    return `${group.name} is not back on its preferred host`;
  for (const { agent, name } of world.hosts) {
    const known = agent.sentinel.state?.groups.get(group.name);
    if (known === undefined) return `the agent of ${name} does not run`;
    const { ip, port } = currentMasterAddress(known);
    const place = world.placeOf(group, index);
    if (ip !== place.host || port !== place.port) return `${name} names ${ip}:${port}`;
    // In a pair each names the leader in an epoch of its own.
    if (world.plan.mode === 'quorum' && known.configEpoch !== epoch)
      return `${name} is in epoch ${known.configEpoch}, others in ${epoch}`;
    if (known.failover !== null) return `${name} is failing over`;
  }
  for (const each of group.hosts) {
    const what = roleFault(world, group, each, index);
    if (what !== null) return what;
  }
  return null;
}

function masterOf(world: AgentWorld, group: GroupPlan): { index: number; epoch: number } | { wrong: string } {
  const known = world.hosts[0]?.agent.sentinel.state?.groups.get(group.name);
  if (known === undefined) return { wrong: 'the agent of a does not run' };
  const { ip } = currentMasterAddress(known);
  const index = group.hosts.find((each) => world.ipOf(each) === ip);
  return index === undefined ? { wrong: `nobody is ${ip}` } : { index, epoch: known.configEpoch };
}

function roleFault(world: AgentWorld, group: GroupPlan, index: number, master: number): string | null {
  const host = world.hosts[index];
  const redis = host?.redises.get(group.name)?.process;
  const room = host?.agent.rooms.get(group.name);
  const vip = host?.routers.get(group.name)?.holds === true;
  if (host === undefined || redis === undefined || room === undefined) return 'an agent does not run';
  const { state, reason } = room.keeper;
  if (index === master) {
    if (state !== 'master') return `the keeper of ${host.name} is ${state}: ${reason}`;
    if (!vip) return `${host.name} leads and has no VIP`;
    return redis.writable ? null : `${host.name} leads and takes no writes`;
  }
  if (vip) return `${host.name} has the VIP and does not lead`;
  if (state !== 'replica') return `the keeper of ${host.name} is ${state}: ${reason}`;
  if (redis.role !== 'replica' || redis.following?.ip !== world.ipOf(master)) return `${redis.name} follows another`;
  return redis.upstream.up ? null : `${redis.name} has no link with its master`;
}

/** For the checkers that are shared with the simulation of Sentinels alone. */
export function outcomeOf(world: AgentWorld, group: GroupPlan): GroupOutcome {
  const named = masterOf(world, group);
  const master = 'index' in named ? world.hosts[named.index]?.redises.get(group.name)?.process : undefined;
  return {
    group: group.name,
    beliefs: [],
    redises: [],
    held: new Set(master?.data.writes.map(({ id }) => id)),
    leased: null,
    durable: group.durability === 'replicated',
  };
}
