/** The record names another: demote, compare, save aside what would be lost, follow. */
import { placeName } from '../../base/place.js';
import { demote, holdBack, infoIsCurrent, mayBeMaster, pauseWrites } from './fence.js';
import { judgeDiscard, newsOf } from './history.js';
import { NOWHERE, type Place } from './io.js';
import { masterLeasedUntil, want } from './lease.js';
import { liftLimits } from './limits.js';
import { rememberReplica } from './memory.js';
import { orderReplicaOf } from './order.js';
import type { OwnInfo } from './own-info.js';
import { isSaved, saveAside } from './save.js';
import { type Keeper, samePlace } from './state.js';
import { ASTRAY_GRACE_MS, guard_ms, PROMOTION_GRACE_MS, VIP_LEAVES_MS } from './timing.js';
import type { Turn } from './turn.js';
import { revokeVip } from './vip.js';

/** Our Redis answers, and `place` leads. */
export function follow(turn: Turn, place: Place, reason: string): void {
  const { k } = turn;
  revokeVip(turn, reason);
  k.ledRunId = null;
  if (!infoIsCurrent(k)) turn.watches = true;
  const { info } = k.redis;
  want(turn, isToBeJoined(k) && needsPermit(k) ? 'confirm' : null);
  if (info === null) return;
  if (mayBeMaster(k)) return stepDown(turn, reason);
  k.strayedSince = null;
  if (samePlace(info.follows, place)) return followed(turn, place, info, reason);
  if (!samePlace(info.follows, NOWHERE)) return detach(turn, info, reason);
  k.astraySince = null;
  const blocked = infoIsCurrent(k)
    ? (whyNotPermitted(turn, place) ?? blockedBy(turn, place, info))
    : 'it was told to follow nobody';
  if (blocked === null) orderReplicaOf(turn, place, reason);
  turn.become('quarantined', blocked === null ? `${reason}: it was told to follow it` : `${reason}: ${blocked}`);
}

/**
 * It follows one who does not lead any more. That one may come back with less, or as a replica of the new master, and
 * would have it take over its data, with nothing put aside. And what is to be compared must not change.
 */
function detach(turn: Turn, info: OwnInfo, reason: string): void {
  const { k, now } = turn;
  k.astraySince ??= now;
  // The elected Sentinel moves it at about the same time: undone, that costs the new master its replica for a moment.
  if (info.askedAt < k.recordSince) {
    turn.watches = true;
    return turn.become('quarantined', `${reason}: it is asked whom it follows now`);
  }
  const whom = info.follows === null ? 'nobody' : placeName(info.follows);
  // The Sentinels may have sent it to a newer master, and the record be on its way.
  if (samePlace(info.follows, k.formerMaster) || turn.isDue(k.astraySince + ASTRAY_GRACE_MS)) {
    orderReplicaOf(turn, NOWHERE, `${reason}, and it follows ${whom}`);
  }
  turn.become('quarantined', `${reason}: it still follows ${whom}`);
}

function stepDown(turn: Turn, reason: string): void {
  const { k } = turn;
  if (isBeingPromotedByOthers(turn)) {
    holdBack(turn, reason);
    turn.become('quarantined', `${reason}, yet Redis was made a master: a new record may be on its way`);
  } else if (isVipLeaving(turn)) {
    pauseWrites(turn);
    turn.become('quarantined', `${reason}: the VIP leaves before Redis is demoted`);
  } else {
    demote(turn, reason);
    turn.become('quarantined', `${reason}: Redis is being demoted${refusedBy(k)}`);
  }
}

/** A client that came back by the VIP in that moment would be told that it may not write here. Its writes wait instead. */
function isVipLeaving(turn: Turn): boolean {
  const { k } = turn;
  return k.vipHeld && !turn.isDue(k.recordSince + VIP_LEAVES_MS);
}

function refusedBy({ order }: Keeper): string {
  return order === null || order.refused === null ? '' : ` (it refuses: ${order.refused})`;
}

/** The Sentinels promote a replica before they tell: one that followed until now is given time to be named. */
function isBeingPromotedByOthers(turn: Turn): boolean {
  const { k, now } = turn;
  if (k.strayedSince === null) {
    if (k.state !== 'replica') return false;
    k.strayedSince = now;
  }
  return !turn.isDue(k.strayedSince + PROMOTION_GRACE_MS);
}

/** It follows nobody: whoever stopped it, or it has just been started. */
function isToBeJoined(k: Keeper): boolean {
  return !mayBeMaster(k) && samePlace(k.redis.info?.follows ?? null, NOWHERE);
}

/**
 * Where acknowledged writes are promised to live the Sentinels stop the replicas before they compare what those have: joined
 * to the old master again, ours might take, and acknowledge, what the next master lacks. No such thing is under way while a
 * majority lends the lease to the master that we join.
 */
function needsPermit({ settings }: Keeper): boolean {
  return settings.durability === 'replicated' && settings.ttl_ms !== null;
}

function whyNotPermitted({ k, now }: Turn, place: Place): string | null {
  if (!needsPermit(k) || now < masterLeasedUntil(k) - guard_ms(k.settings.ttl_ms ?? 0)) return null;
  return `no majority says that ${placeName(place)} has the lease: another may be about to be elected`;
}

function followed(turn: Turn, place: Place, info: OwnInfo, reason: string): void {
  turn.k.astraySince = null;
  liftLimits(turn);
  if (info.linkUp) {
    rememberReplica(turn, info);
    turn.k.syncedRunId = info.runId;
  } else if (turn.k.state !== 'replica') {
    turn.watches = true;
  }
  const link = info.linkUp
    ? ''
    : info.syncing
      ? ', and is receiving a copy'
      : `, but the link to ${placeName(place)} is down`;
  turn.become('replica', `${reason}: it follows${link}`);
}

/** What stands between our Redis and its new master; null: nothing. */
function blockedBy(turn: Turn, place: Place, info: OwnInfo): string | null {
  const { k } = turn;
  const name = placeName(place);
  const wait = (why: string): string => {
    turn.wantsNews = true;
    turn.watches = true;
    return why;
  };
  const master = newsOf(k, place);
  if (master === null) return wait(`nothing is known of ${name} yet`);
  if (!master.alive) return wait(`${name} does not answer`);
  // Two that follow each other would both wait for ever.
  if (master.role !== 'master') return wait(`${name} is not a master yet`);
  const discard = judgeDiscard(k, master);
  switch (discard.is) {
    case 'harmless':
      return null;
    case 'unknown':
      return wait(discard.reason);
    case 'loss':
      break;
  }
  if (isSaved(k)) return null;
  return `${discard.reason}: ${saveAside(turn, info, discard.reason)}`;
}
