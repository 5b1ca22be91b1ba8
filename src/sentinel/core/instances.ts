/** The members of a group: replicas and other Sentinels, added and forgotten. */
import type { Address } from './io.js';
import { dropLink } from './links.js';
import { replicaKey } from './names.js';
import { type Group, NEVER, newLink, newRedisNode, type RedisNode, type Sentinel, type SentinelPeer } from './state.js';
import type { Turn } from './turn.js';

/** Adds a replica that was told of, or that the configuration names. */
export function addReplica(turn: Turn, group: Group, address: Address): RedisNode {
  const link = newLink(address, turn.now, true);
  const node = newRedisNode(group, link, 'replica', turn.now);
  turn.s.links.add(link);
  group.replicas.set(replicaKey(address), node);
  turn.touchLink(link);
  return node;
}

/** Adds a Sentinel to a group; a Sentinel that another group knows already is reached by the same link. */
export function addSentinel(turn: Turn, group: Group, address: Address, runId: string): SentinelPeer {
  const link = sharedLink(turn.s, runId) ?? newLink(address, turn.now, false);
  const peer: SentinelPeer = {
    kind: 'sentinel',
    group,
    link,
    runId,
    sdownSince: null,
    lastHelloSentAt: NEVER,
    lastHelloAt: turn.now,
    lastAskReplyAt: NEVER,
    lastAskAt: NEVER,
    saysMasterDown: false,
    leader: null,
    leaderEpoch: 0,
    refusedEpoch: 0,
  };
  link.owners.add(peer);
  turn.s.links.add(link);
  group.sentinels.set(runId, peer);
  turn.touchLink(link);
  return peer;
}

function sharedLink(s: Sentinel, runId: string): SentinelPeer['link'] | null {
  for (const group of s.groups.values()) {
    const peer = group.sentinels.get(runId);
    if (peer !== undefined) return peer.link;
  }
  return null;
}

/** Forgets a Sentinel; its link ends with its last group. */
export function removeSentinel(turn: Turn, peer: SentinelPeer): void {
  peer.group.sentinels.delete(peer.runId);
  peer.link.owners.delete(peer);
  if (peer.link.owners.size === 0) dropLink(turn, peer.link);
}
