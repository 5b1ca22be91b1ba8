/** Votes: one a group and epoch, made durable before it is told to anyone. */
import { followEpoch } from './epoch.js';
import { announceHandOver, voteLimitation } from './lease.js';
import type { Group, SentinelPeer } from './state.js';
import { ASK_PERIOD_MS, MAX_DESYNC_MS } from './timing.js';
import type { Turn } from './turn.js';

export interface Vote {
  readonly leader: string | null;
  readonly epoch: number;
}

/**
 * Gives the group's vote for `epoch` to `candidate`, unless a vote was given for that epoch or a later one, or the
 * master's lease forbids it. @returns whom the last vote went to, and in which epoch.
 */
export function vote(turn: Turn, group: Group, epoch: number, candidate: string): Vote {
  followEpoch(turn, epoch, group);
  const limitation = voteLimitation(turn, group);
  if (limitation !== null) {
    turn.log('notice', `No vote in epoch ${epoch} of ${group.name}: ${limitation}`);
    return { leader: group.leader, epoch: group.leaderEpoch };
  }
  if (group.leaderEpoch < epoch && turn.s.currentEpoch <= epoch) {
    group.leader = candidate;
    group.leaderEpoch = epoch;
    group.lease.votedAt = turn.now;
    turn.persist();
    turn.plainEvent('warning', '+vote-for-leader', `${candidate} ${epoch}`, group);
    if (candidate !== turn.s.myId) {
      // Leave the elected one its time, and do not all start at the same moment after it.
      group.failoverStartAt = turn.now + turn.s.prng.below(MAX_DESYNC_MS);
      group.votedFor = candidate;
      group.start = null;
      announceHandOver(turn, group);
    }
    turn.touch(group);
  }
  return { leader: group.leader, epoch: group.leaderEpoch };
}

/** How an election stands. */
export type Tally =
  | { readonly result: 'won' }
  | { readonly result: 'lost'; readonly to: string }
  /** Nobody can reach the needed votes any more. */
  | { readonly result: 'split' }
  | { readonly result: 'open'; readonly votes: number; readonly needed: number };

/** Votes needed to lead: a majority of all known Sentinels and never fewer than the quorum. */
export function votesNeeded(group: Group): number {
  const voters = group.sentinels.size + 1;
  return Math.max(Math.floor(voters / 2) + 1, group.quorum);
}

/** Counts the votes of an epoch as far as they are known here. */
export function tally(turn: Turn, group: Group, epoch: number): Tally {
  const votes = new Map<string, number>();
  const count = (leader: string | null): void => {
    if (leader !== null) votes.set(leader, (votes.get(leader) ?? 0) + 1);
  };
  let open = 0;
  if (group.leaderEpoch === epoch) count(group.leader);
  for (const peer of group.sentinels.values()) {
    if (peer.leaderEpoch === epoch) count(peer.leader);
    else if (Math.max(peer.leaderEpoch, peer.refusedEpoch) < epoch && isResponsive(turn, peer)) open += 1;
  }
  const needed = votesNeeded(group);
  for (const [leader, number] of votes) {
    if (number >= needed) return leader === turn.s.myId ? { result: 'won' } : { result: 'lost', to: leader };
  }
  if (open === 0) return { result: 'split' };
  return { result: 'open', votes: votes.get(turn.s.myId) ?? 0, needed };
}

/** Whether somebody may still vote in this epoch. */
export function awaitsVotes(turn: Turn, group: Group, epoch: number): boolean {
  return [...group.sentinels.values()].some(
    (peer) => Math.max(peer.leaderEpoch, peer.refusedEpoch) < epoch && isResponsive(turn, peer),
  );
}

/** Whether an answer of this Sentinel may still be expected soon. */
function isResponsive(turn: Turn, peer: SentinelPeer): boolean {
  const { link } = peer;
  if (link.command.phase !== 'up' || peer.sdownSince !== null) return false;
  return link.activePingSince === null || turn.now - link.activePingSince < ASK_PERIOD_MS;
}
