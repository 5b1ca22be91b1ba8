/**
 * The proof that a promotion loses no acknowledged write, where a write is acknowledged only once `ackReplicas` replicas
 * have it. So many replicas are stopped that too few are left to acknowledge anything; any so many replicas have one among
 * the stopped; and if none of these has more of the master's history than the candidate, nobody whose word counted has. It
 * needs nothing of the master, nor of its keeper: both may live on somewhere, out of our reach (docs/lease.md).
 */
import { followsNobody, sendHalt } from './demote.js';
import { askInfo, follows } from './info.js';
import type { Group, Halted, RedisNode } from './state.js';
import { nodeName, type Turn } from './turn.js';

/** Stops every replica that has told since `freshSince` whom it follows, and asks once more what it has. */
export function halt(turn: Turn, group: Group, freshSince: number): Halted {
  const halted = new Map<RedisNode, boolean>();
  for (const node of group.replicas.values()) {
    // An order to one that is silent would reach it whenever it wakes.
    if (node.info.askedAt < freshSince) continue;
    // One that follows nobody was stopped by an earlier election, or has been started anew with what it acknowledged.
    halted.set(node, follows(turn, node, group.master) || followsNobody(node));
    if (!takesNothing(node)) sendHalt(turn, node);
    askInfo(turn, node);
  }
  return halted;
}

/** Whether all of them have said that they are stopped, as far as they can answer. */
export function haveHalted(halted: Halted): boolean {
  for (const node of halted.keys()) {
    if (node.sdownSince === null && node.link.command.phase === 'up' && !takesNothing(node)) return false;
  }
  return true;
}

/** It takes nothing from anybody: one that was made a master does not, either. */
function takesNothing(node: RedisNode): boolean {
  return node.role === 'master' || followsNobody(node);
}

/** Why promoting this replica might lose an acknowledged write, or null when it is proven that it cannot. */
export function durabilityLimitation(
  turn: Turn,
  candidate: RedisNode,
  freshSince: number,
  halted: Halted,
): string | null {
  const gap = gapOf(turn, candidate, freshSince, halted);
  return gap === null ? null : `acknowledged writes could be lost: ${gap}`;
}

function gapOf(turn: Turn, candidate: RedisNode, freshSince: number, halted: Halted): string | null {
  const { group } = candidate;
  if (candidate.role !== 'replica') return 'it is no replica any more';
  if (group.lease.history === '') return 'the master has not told its history';
  const position = positionOf(candidate, halted);
  if (typeof position === 'string') return `it ${position}`;
  if (position === null) return "it is not in the master's history";
  for (const node of group.replicas.values()) {
    if (!hasAnswered(node, freshSince, halted)) continue;
    const other = positionOf(node, halted);
    if (typeof other === 'string') return `${nodeName(turn.s, node)} ${other}`;
    if (other !== null && other > position) return `${nodeName(turn.s, node)} has ${other - position} bytes more`;
  }
  return missingAnswers(turn, group, freshSince, halted);
}

/**
 * How far a Redis is in the history that the master told last while it was leased. Null for one that is in another: it took
 * no part. A text says why that cannot be known.
 */
function positionOf(node: RedisNode, halted: Halted): number | string | null {
  const { history } = node.group.lease;
  if (node.replId === history) return node.role === 'master' ? node.masterReplOffset : node.replOffset;
  // The master has begun a new history since it last told us, or this one has restarted: either may hide a write.
  if (halted.get(node) === true && node.role === 'replica') return 'is in a history that cannot be compared';
  // What came after has nothing in it: it was promoted, and never leased.
  return node.replId2 === history ? node.secondOffset - 1 : null;
}

function hasAnswered(node: RedisNode, freshSince: number, halted: Halted): boolean {
  return halted.has(node) && takesNothing(node) && node.info.askedAt >= freshSince && node.info.at >= freshSince;
}

function missingAnswers(turn: Turn, group: Group, freshSince: number, halted: Halted): string | null {
  const all = [...group.replicas.values()];
  const silent = all.filter((node) => !hasAnswered(node, freshSince, halted));
  const needed = all.length - group.ackReplicas + 1;
  const answered = all.length - silent.length;
  if (answered >= needed) return null;
  const names = silent.map((node) => nodeName(turn.s, node)).join(', ');
  return `${answered} of ${needed} replicas answered, not ${names}`;
}
