/** Groups and their replicas: added, forgotten, removed. */
import type { MasterConf } from '../../config/sentinel-types.js';
import { removeSentinel } from './instances.js';
import type { Address } from './io.js';
import { dropLink } from './links.js';
import { type Group, NEVER, newLease, newLink, newRedisNode } from './state.js';
import { switchToPromoted } from './switch.js';
import type { Turn } from './turn.js';

type GroupSettings = Omit<MasterConf, 'host' | 'port' | 'replicas' | 'sentinels'>;

/** Begins to watch a master. The caller has made sure that the name is free. */
export function addGroup(turn: Turn, settings: GroupSettings, address: Address): Group {
  // Written out field by field: a spread would give each group a hidden class of its own, and every look at a group
  // would be a slow one. The master's node needs its group and the group its master: the node is put in at once after.
  const rest: Omit<Group, 'master'> = {
    name: settings.name,
    replicas: new Map(),
    sentinels: new Map(),
    quorum: settings.quorum,
    downAfter_ms: settings.downAfter_ms,
    failoverTimeout_ms: settings.failoverTimeout_ms,
    parallelSyncs: settings.parallelSyncs,
    authUser: settings.authUser,
    authPass: settings.authPass,
    notificationScript: settings.notificationScript,
    clientReconfigScript: settings.clientReconfigScript,
    masterRebootDownAfter_ms: settings.masterRebootDownAfter_ms,
    fastDown: settings.fastDown,
    leaseTtl_ms: settings.leaseTtl_ms,
    ackReplicas: settings.ackReplicas,
    paused: settings.paused,
    candidateLagMax_bytes: settings.candidateLagMax_bytes,
    renamedCommands: new Map(Object.entries(settings.renamedCommands)),
    configEpoch: settings.configEpoch,
    leader: settings.votedLeader === '' ? null : settings.votedLeader,
    leaderEpoch: settings.leaderEpoch,
    odownSince: null,
    failover: null,
    failoverStartAt: NEVER,
    votedFor: null,
    delayLoggedFor: NEVER,
    start: null,
    givenUp: null,
    splitRetries: 0,
    noCandidateRetryAt: null,
    ledAt: NEVER,
    lease: newLease(turn.now, turn.s.formerLeaseTtl_ms),
    wakeAt: turn.now,
  };
  const group = rest as Group;
  const link = newLink(address, turn.now, true);
  group.master = newRedisNode(group, link, 'master', turn.now);
  turn.s.links.add(link);
  turn.s.groups.set(group.name, group);
  turn.touchLink(link);
  turn.touch(group);
  return group;
}

/** Ceases to watch a master. */
export function removeGroup(turn: Turn, group: Group): void {
  turn.event('warning', '-monitor', group);
  forgetOthers(turn, group);
  dropLink(turn, group.master.link);
  turn.s.groups.delete(group.name);
  turn.touched.delete(group);
  turn.persist();
}

/** SENTINEL RESET: forgets replicas, Sentinels and the failover under way; they are discovered anew. */
export function resetGroup(turn: Turn, group: Group): void {
  // A replica that was promoted under the new configuration epoch is the master, whatever else is forgotten.
  const { failover } = group;
  if (failover?.phase === 'reconf' && !failover.switched) switchToPromoted(turn, group, failover.target);
  forgetOthers(turn, group);
  const { master } = group;
  dropLink(turn, master.link);
  const link = newLink(master.link.address, turn.now, true);
  group.master = newRedisNode(group, link, 'master', turn.now);
  turn.s.links.add(link);
  group.odownSince = null;
  group.failover = null;
  group.failoverStartAt = NEVER;
  group.votedFor = null;
  group.start = null;
  group.noCandidateRetryAt = null;
  turn.event('warning', '+reset-master', group);
  turn.touchLink(link);
  turn.touch(group);
  turn.persist();
}

function forgetOthers(turn: Turn, group: Group): void {
  for (const node of group.replicas.values()) dropLink(turn, node.link);
  group.replicas.clear();
  for (const peer of [...group.sentinels.values()]) removeSentinel(turn, peer);
}
