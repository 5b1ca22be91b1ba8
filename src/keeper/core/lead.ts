/** The record names us: get the lease, prove that our data is worth it, promote, write. */
import { placeName } from '../../base/place.js';
import { holdBack, infoIsCurrent, liftPause } from './fence.js';
import { askAllNow, release, want, wantAnew } from './lease.js';
import { countHealthy, setLimits } from './limits.js';
import { rememberBeforeLeading, rememberMaster } from './memory.js';
import { orderReplicaOf } from './order.js';
import type { OwnInfo } from './own-info.js';
import type { Keeper } from './state.js';
import { REPLICA_WAIT_MS, ROLE_LOST_GRACE_MS } from './timing.js';
import type { Turn } from './turn.js';
import { whyUnable } from './unable.js';
import { grantVip } from './vip.js';
import { judgeWilling, mayHoldOurEnd } from './willing.js';

/** Our Redis answers, and may lead until `until`. */
export function lead(turn: Turn, until: number, reason: string): void {
  const { k, now } = turn;
  const { info } = k.redis;
  if (info === null) return;
  const unable = whyUnable(turn, info);
  if (unable !== null) return decline(turn, unable);
  const will = judgeWilling(k, now);
  if (will.is === 'unwilling') return decline(turn, will.reason);
  want(turn, 'lead');
  if (now >= until) {
    if (k.state === 'master') wantAnew(turn);
    return fenced(turn, reason);
  }
  turn.at(until);
  if (will.is === 'wait') {
    turn.wantsNews = true;
    turn.at(will.until);
    return fenced(turn, will.reason);
  }
  // A switchover pauses writes by itself: that pause is not ours to lift.
  if (k.handOver !== null && k.state !== 'master') {
    return fenced(turn, 'the lease was lost while another was to take over');
  }
  if (!infoIsCurrent(k) || info.askedAt < k.recordSince) {
    turn.watches = true;
    if (k.state === 'master') return stay(turn, until, info, reason);
    // On its way to lead, and the lease is held: there is nothing to hold back.
    if (k.order !== null && k.order.target === null) return turn.become('fenced', 'it is being promoted');
    return fenced(turn, 'its role is asked for');
  }
  if (info.role === 'replica') return promote(turn, info);
  k.strayedSince = null;
  stay(turn, until, info, reason);
}

function fenced(turn: Turn, reason: string): void {
  holdBack(turn, reason);
  turn.become('fenced', reason);
}

/** Others are to lead: the lease goes back as soon as our Redis takes no writes, so that one of them is elected. */
function decline(turn: Turn, reason: string): void {
  const { k } = turn;
  if (k.lease.givenBack === null) k.lease.giveBack ??= reason;
  fenced(turn, `it does not lead: ${reason}`);
}

function promote(turn: Turn, info: OwnInfo): void {
  const { k, now } = turn;
  if (k.state === 'master') {
    k.strayedSince = now;
    return fenced(turn, `Redis was made a replica of ${nameMaster(info)} although the lease is held here`);
  }
  // Whoever demoted it may have reasons that are on their way.
  if (k.strayedSince !== null && !turn.isDue(k.strayedSince + ROLE_LOST_GRACE_MS)) return;
  if (k.siblings.some((sibling) => mayHoldOurEnd(k, info, sibling))) {
    turn.log(
      'warning',
      'Redis is to lead from its files, since nobody who may have more was elected: what it acknowledged last may be lost',
    );
  }
  rememberBeforeLeading(turn, info);
  // Redis forgets the history before the last: what was judged now could not be judged again once it leads.
  k.ledRunId = info.runId;
  orderReplicaOf(turn, null, 'the lease is held');
  turn.become('fenced', `it is being promoted${refusedBy(k)}`);
}

function refusedBy({ order }: Keeper): string {
  return order === null || order.refused === null ? '' : ` (it refuses: ${order.refused})`;
}

function nameMaster({ follows }: OwnInfo): string {
  return follows === null ? 'nobody' : placeName(follows);
}

/** It is a master, and may be: writes and VIP are here. */
function stay(turn: Turn, until: number, info: OwnInfo, reason: string): void {
  const { k } = turn;
  rememberMaster(turn, info);
  const holds = k.handOver !== null || awaitsReplica(turn, info);
  setLimits(turn, info, holds);
  if (!holds) liftPause(turn);
  grantVip(turn, until);
  k.ledRunId = info.runId;
  k.heldBackSince = null;
  turn.become('master', reason);
}

/**
 * Where a write is only taken with a replica, those that come before one is attached wait for it in the pause, for a
 * moment: refused, they would be errors in every change of master.
 */
function awaitsReplica(turn: Turn, info: OwnInfo): boolean {
  const { k, now } = turn;
  if (k.settings.durability !== 'replicated' || countHealthy(k, info) > 0) return false;
  if (k.pause === null || k.pause.liftedAt !== null) return false;
  const leadsSince = k.state === 'master' ? k.since : now;
  if (turn.isDue(leadsSince + REPLICA_WAIT_MS)) return false;
  turn.watches = true;
  return true;
}

/** An operator's switchover begins. Only a master that may write can be handed over. */
export function onHandOver(turn: Turn, deadline_ms: number): void {
  const { k, now } = turn;
  if (k.state !== 'master') {
    turn.log('warning', `There is nothing to hand over: ${k.state}, ${k.reason}`);
    return;
  }
  k.handOver = { until: now + deadline_ms };
  askAllNow(turn);
}

/** It is over: grants are renewed without the consent to elect another. */
export function endHandOver(turn: Turn, why: string): void {
  const { k } = turn;
  if (k.handOver === null) return;
  k.handOver = null;
  turn.log('notice', `The hand-over has ended: ${why}`);
  askAllNow(turn);
}

/** Gives the lease back if that is due: our Redis takes no writes any more. */
export function giveBack(turn: Turn): void {
  const reason = turn.k.lease.giveBack;
  if (reason !== null) release(turn, reason);
}
