/** The change of master in our tables: at the end of a failover that we led, or because a newer configuration came. */
import { askInfo } from './info.js';
import { addReplica } from './instances.js';
import type { Address } from './io.js';
import { awaitLease } from './lease.js';
import { forgive, redirectLink } from './links.js';
import { findAt, replicaKey, shownHost } from './names.js';
import { clearFailover, type Group, NEVER, type RedisNode, redisNodes, type SentinelPeer } from './state.js';
import { place, type Turn } from './turn.js';

/** A Sentinel told a newer configuration: take it over, whatever we were doing. */
export function followConfiguration(turn: Turn, group: Group, address: Address, from: SentinelPeer): void {
  const old = group.master.link.address;
  turn.event('warning', '+config-update-from', from);
  if (group.failover !== null) {
    turn.log('warning', `Failover of ${group.name} given up: a newer configuration came`);
    clearFailover(group, 'a newer configuration came');
  }
  announceSwitch(turn, group, old, address);
  makeMaster(turn, group, findAt(group.replicas.values(), address) ?? addReplica(turn, group, address));
  runReconfigScript(turn, group, 'observer', old, address);
}

/**
 * A newer configuration names the master that stands in our tables: a failover of ours that is older than it is void,
 * also when it has promoted a replica already. To go on would give one config epoch two masters.
 */
export function confirmMaster(turn: Turn, group: Group): void {
  const { failover } = group;
  if (failover === null || failover.epoch > group.configEpoch) return;
  if (failover.phase === 'reconf' && failover.switched) return;
  turn.log('warning', `Failover of ${group.name} given up: a newer configuration keeps the master`);
  clearFailover(group, 'a newer configuration keeps the master');
  turn.touch(group);
}

/** Our own failover: the promoted replica takes the master's place. */
export function switchToPromoted(turn: Turn, group: Group, target: RedisNode): void {
  announceSwitch(turn, group, group.master.link.address, target.link.address);
  makeMaster(turn, group, target);
}

function announceSwitch(turn: Turn, group: Group, from: Address, to: Address): void {
  turn.plainEvent('warning', '+switch-master', `${group.name} ${place(turn.s, from)} ${place(turn.s, to)}`, group);
}

/** Exchanges the places of the master and a replica; all instances are kept, with their connections. */
function makeMaster(turn: Turn, group: Group, node: RedisNode): void {
  const old = group.master;
  group.replicas.delete(replicaKey(node.link.address));
  group.replicas.set(replicaKey(old.link.address), old);
  group.master = node;
  node.formerMasterSince = null;
  old.formerMasterSince = turn.now;
  // Its silence as the master has been dealt with; as a replica it is given down-after anew.
  old.sdownSince = null;
  old.rebootedAt = null;
  forgive(old.link, turn.now);
  turn.touchLink(old.link);
  awaitLease(turn, group, node.link.address);
  group.odownSince = null;
  group.start = null;
  group.noCandidateRetryAt = null;
  group.splitRetries = 0;
  // The wait between failovers belongs to the master that is gone.
  group.failoverStartAt = NEVER;
  group.votedFor = null;
  for (const peer of group.sentinels.values()) {
    peer.saysMasterDown = false;
    peer.lastAskAt = NEVER;
  }
  for (const replica of group.replicas.values()) turn.event('notice', '+slave', replica);
  for (const each of redisNodes(group)) askInfo(turn, each);
  // Whoever elected the new master has it on disk; so have we, if that was us.
  turn.persistSoon();
  turn.touch(group);
}

/** Queues client-reconfig-script: `<name> <role> <state> <from-ip> <from-port> <to-ip> <to-port>`. */
export function runReconfigScript(
  turn: Turn,
  group: Group,
  role: 'leader' | 'observer',
  from: Address,
  to: Address,
): void {
  if (group.clientReconfigScript === '') return;
  turn.effects.push({
    act: 'script',
    path: group.clientReconfigScript,
    args: [
      group.name,
      role,
      'start',
      shownHost(turn.s, from),
      String(from.port),
      shownHost(turn.s, to),
      String(to.port),
    ],
  });
}

/** SENTINEL SET / MONITOR gave the master a new address by hand. */
export function moveMaster(turn: Turn, group: Group, address: Address): void {
  redirectLink(turn, group.master.link, address);
  turn.persist();
}
