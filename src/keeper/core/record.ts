/** The leader record in force, and whether enough voters have confirmed it. */
import { placeName } from '../../base/place.js';
import type { LeaderRecord } from './io.js';
import { forgetGrants, mayBeGranted } from './lease.js';
import { type Keeper, NEVER, samePlace, sameRecord } from './state.js';
import { majority } from './timing.js';
import type { Turn } from './turn.js';

/**
 * The greatest epoch among what the local Sentinel and the voters told. Two records of one epoch (forced failovers on two
 * sides of a cut): the one that more of them name, then the one in force, so that it does not flap.
 */
export function recordInForce(k: Keeper): LeaderRecord | null {
  const told = recordsTold(k);
  let best: LeaderRecord | null = null;
  for (const record of told) {
    if (best === null || record.epoch > best.epoch) best = record;
    if (record.epoch < best.epoch || sameRecord(record, best)) continue;
    const more = countNaming(told, record) - countNaming(told, best);
    if (more > 0 || (more === 0 && sameRecord(record, k.record))) best = record;
  }
  return best;
}

function recordsTold({ localRecord, lease }: Keeper): LeaderRecord[] {
  const told = localRecord === null ? [] : [localRecord];
  for (const { record } of lease.voters) if (record !== null) told.push(record);
  return told;
}

function countNaming(told: readonly LeaderRecord[], record: LeaderRecord): number {
  return told.filter((other) => sameRecord(other, record)).length;
}

/** Takes a new record into force. Grants were given for the epoch before: they do not count for this one. */
export function updateRecord(turn: Turn): void {
  const { k, now } = turn;
  const record = recordInForce(k);
  if (record !== null && !sameRecord(record, k.record)) {
    turn.log('notice', `The leader is ${placeName(record.master)} in epoch ${record.epoch}${before(k)}`);
    const wasOurs = mayBeGranted(k, now);
    if (k.record !== null && !samePlace(k.record.master, record.master)) k.formerMaster = k.record.master;
    k.record = record;
    k.recordSince = now;
    k.strayedSince = null;
    // Whatever a switchover was to reach: there is a new leader.
    k.handOver = null;
    if (wasOurs && !samePlace(record.master, k.settings.self)) {
      k.lease.giveBack = `the record names ${placeName(record.master)} in epoch ${record.epoch}`;
    }
    forgetGrants(k);
    for (const voter of k.lease.voters) voter.nextAskAt = now;
  }
  if (!k.confirmed && isConfirmed(k)) k.confirmed = true;
}

function before({ record }: Keeper): string {
  return record === null ? '' : `, no longer ${placeName(record.master)} (epoch ${record.epoch})`;
}

/**
 * A Redis that has just appeared is told who it is by a majority, not by one Sentinel that may have slept. Without a lease
 * the voters cannot be asked.
 */
function isConfirmed(k: Keeper): boolean {
  if (k.record === null) return false;
  if (k.settings.ttl_ms === null) return true;
  return countConfirming(k) >= majority(k.lease.voters.length);
}

/** Voters that have told their record since our Redis appeared. */
export function countConfirming(k: Keeper): number {
  return k.lease.voters.filter(
    (voter) => voter.record !== null && voter.answeredAskAt >= k.confirmFrom && voter.answeredAskAt > NEVER,
  ).length;
}
