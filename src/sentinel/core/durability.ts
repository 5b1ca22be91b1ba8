/**
 * The proof that a promotion loses no acknowledged write, where a write is acknowledged only once `ackReplicas` replicas
 * have it. Every set of that many replicas has one among those that answered since the election; so if none of these has
 * more of the master's history than the candidate, nobody whose word counted has. Writes end before: the old master's
 * lease is over when the election is won (docs/lease.md).
 */
import { follows } from './info.js';
import type { Group, RedisNode } from './state.js';
import { nodeName, type Turn } from './turn.js';

/** Why promoting this replica might lose an acknowledged write, or null when it is proven that it cannot. */
export function durabilityLimitation(turn: Turn, candidate: RedisNode, freshSince: number): string | null {
  const { group } = candidate;
  if (group.ackReplicas === 0) return null;
  const needed = group.replicas.size - group.ackReplicas + 1;
  let answered = 0;
  for (const node of group.replicas.values()) {
    if (node.info.askedAt < freshSince || node.info.at < freshSince) continue;
    answered += 1;
    const ahead = node === candidate ? null : aheadOf(turn, node, candidate);
    if (ahead !== null) return `acknowledged writes could be lost: ${nodeName(turn.s, node)} ${ahead}`;
  }
  if (candidate.role !== 'replica') return 'acknowledged writes could be lost: it is no replica any more';
  if (answered >= needed) return null;
  const silent = silentNodes(turn, group, freshSince).join(', ');
  return `acknowledged writes could be lost: ${answered} of ${needed} replicas answered, not ${silent}`;
}

function silentNodes(turn: Turn, group: Group, freshSince: number): string[] {
  return [...group.replicas.values()]
    .filter((node) => node.info.at < freshSince || node.info.askedAt < freshSince)
    .map((node) => nodeName(turn.s, node));
}

/** In which way another replica may have more of the master's history than the candidate, or null. */
function aheadOf(turn: Turn, other: RedisNode, candidate: RedisNode): string | null {
  if (other.replId === '' || candidate.replId === '') return 'does not tell its history';
  // The candidate has gone on from there: the other has missed all since.
  if (other.replId === candidate.replId2) return null;
  if (other.replId === candidate.replId || other.replId2 === candidate.replId) {
    const offset = offsetIn(other, candidate.replId);
    if (offset === null) return 'has gone on from there';
    return offset > candidate.replOffset ? `has ${offset - candidate.replOffset} bytes more` : null;
  }
  const { master } = candidate.group;
  // The master has told which history is its own: who is in another and does not follow it took no part.
  if (master.role === 'master' && candidate.replId === master.replId && !follows(turn, other, master)) return null;
  return 'is in a history that cannot be compared';
}

/**
 * How far a Redis is in a history that is its own or that its own continues. Null for a replica that has gone on into
 * another one, where it may have got what was acknowledged; one that was promoted and never leased has got nothing there.
 */
function offsetIn(node: RedisNode, replId: string): number | null {
  if (node.replId !== replId && node.role === 'replica') return null;
  if (node.replId !== replId) return node.secondOffset - 1;
  return node.role === 'master' ? node.masterReplOffset : node.replOffset;
}
