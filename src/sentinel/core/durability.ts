/**
 * The proof that a promotion loses no acknowledged write, where a write is acknowledged only once `ackReplicas` replicas
 * have it. Any so many replicas have one among those that answered since the election; if none of these has more of the
 * master's history than the candidate, nobody whose word counted has. No more is acknowledged meanwhile: the old master's
 * lease is over when the election is won (docs/lease.md).
 */
import { follows } from './info.js';
import type { Group, RedisNode } from './state.js';
import { nodeName, type Turn } from './turn.js';

/** Why promoting this replica might lose an acknowledged write, or null when it is proven that it cannot. */
export function durabilityLimitation(turn: Turn, candidate: RedisNode, freshSince: number): string | null {
  if (candidate.group.ackReplicas === 0) return null;
  const gap = gapOf(turn, candidate, freshSince);
  return gap === null ? null : `acknowledged writes could be lost: ${gap}`;
}

function gapOf(turn: Turn, candidate: RedisNode, freshSince: number): string | null {
  const { group } = candidate;
  if (candidate.role !== 'replica') return 'it is no replica any more';
  if (group.master.role !== 'master' || group.master.replId === '') return 'the master has not told its history';
  const position = positionOf(turn, candidate);
  if (typeof position === 'string') return `it ${position}`;
  if (position === null) return "it is not in the master's history";
  for (const node of group.replicas.values()) {
    if (!hasAnswered(node, freshSince)) continue;
    const other = positionOf(turn, node);
    if (typeof other === 'string') return `${nodeName(turn.s, node)} ${other}`;
    if (other !== null && other > position) return `${nodeName(turn.s, node)} has ${other - position} bytes more`;
  }
  return missingAnswers(turn, group, freshSince);
}

/**
 * How far a Redis is in the history that the master told last. Null for one that is in another: it took no part. A text
 * says why that cannot be known.
 */
function positionOf(turn: Turn, node: RedisNode): number | string | null {
  const { master } = node.group;
  if (node.replId === master.replId) return node.role === 'master' ? node.masterReplOffset : node.replOffset;
  // The master has begun a new history since it last told us, or this one has restarted: either may hide a write.
  if (follows(turn, node, master)) return 'is in a history that cannot be compared';
  // What came after has nothing in it: it was promoted, and never leased.
  return node.replId2 === master.replId ? node.secondOffset - 1 : null;
}

function hasAnswered(node: RedisNode, freshSince: number): boolean {
  return node.info.askedAt >= freshSince && node.info.at >= freshSince;
}

function missingAnswers(turn: Turn, group: Group, freshSince: number): string | null {
  const all = [...group.replicas.values()];
  const silent = all.filter((node) => !hasAnswered(node, freshSince));
  const needed = all.length - group.ackReplicas + 1;
  const answered = all.length - silent.length;
  if (answered >= needed) return null;
  const names = silent.map((node) => nodeName(turn.s, node)).join(', ');
  return `${answered} of ${needed} replicas answered, not ${names}`;
}
