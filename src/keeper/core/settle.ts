/** What follows from all that is known: once a step, after its input has been taken. */
import { unreachable } from '../../base/assert.js';
import { holdBack, infoIsCurrent, liftPause, mayBeMaster, pauseWrites, takesNoWrites } from './fence.js';
import { follow } from './follow.js';
import { type Health, judgeHealth, lookDue, pingDue } from './health.js';
import { infoDue } from './info.js';
import { endHandOver, giveBack, lead } from './lead.js';
import { askDue, mayBeGranted, release, want } from './lease.js';
import { mandateOf } from './mandate.js';
import { persistDue } from './memory.js';
import { settleOrder } from './order.js';
import { judgeFitness } from './pair.js';
import { killHung, startDue } from './process.js';
import { updateRecord } from './record.js';
import { samePlace } from './state.js';
import { INFO_PERIOD_MS, REPLICA_HUNG_MS, WATCH_MAX_MS } from './timing.js';
import type { Turn } from './turn.js';
import { grantVip, revokeVip } from './vip.js';

export function settle(turn: Turn): void {
  const { k } = turn;
  updateRecord(turn);
  settleOrder(k);
  if (k.handOver !== null && turn.isDue(k.handOver.until)) endHandOver(turn, 'its time is over');
  startDue(turn);
  const health = judgeHealth(turn);
  judgeFitness(turn, health);
  takeRole(turn, health);
  if (takesNoWrites(k)) giveBack(turn);
  keepUp(turn);
}

function takeRole(turn: Turn, health: Health): void {
  switch (health.is) {
    case 'absent':
      return loseRedis(turn, health.reason);
    case 'hung':
      return giveUpOn(turn, health);
    case 'coming':
      return awaitRedis(turn, health.reason);
    case 'silent':
      return holdOn(turn, health.reason);
    case 'well':
      return obey(turn);
    default:
      unreachable(health, 'health');
  }
}

/** Our Redis answers: it takes the role that it is to have. */
function obey(turn: Turn): void {
  // A replica in a pause would not carry out what its master sends.
  if (infoIsCurrent(turn.k) && !mayBeMaster(turn.k)) {
    liftPause(turn);
    turn.k.heldBackSince = null;
  }
  const mandate = mandateOf(turn);
  switch (mandate.leader) {
    case 'unknown':
      want(turn, 'confirm');
      holdBack(turn, mandate.reason);
      return turn.become('quarantined', mandate.reason);
    case 'other':
      return follow(turn, mandate.place, mandate.reason);
    case 'us':
      return lead(turn, mandate.until, mandate.reason);
    default:
      unreachable(mandate, 'mandate');
  }
}

/** It ended: the VIP goes, and the others need not wait for the lease to end. */
function loseRedis(turn: Turn, reason: string): void {
  revokeVip(turn, reason);
  yieldLease(turn, reason);
  turn.become('failed', turn.k.paused ? `${reason}; it is not started again in maintenance` : reason);
}

/** It hangs: as if it had ended, but it may come back and go on where it was. */
function giveUpOn(turn: Turn, { reason, outOfReach }: Extract<Health, { is: 'hung' }>): void {
  const { k } = turn;
  const replaced = mandateOf(turn).leader === 'other';
  if (mayBeMaster(k) && outOfReach && !replaced) return giveUpUnreached(turn, reason);
  revokeVip(turn, reason);
  k.heldBackSince = null;
  // It finds the order when it wakes, before whatever came later.
  if (mayBeMaster(k)) pauseWrites(turn);
  yieldLease(turn, reason);
  // What waits in the sockets of a master must not be written and acknowledged once it wakes.
  if (mayBeMaster(k) && replaced) killHung(turn, `${reason}; and another leads now`);
  if (!mayBeMaster(k) && k.state === 'failed' && turn.isDue(k.since + REPLICA_HUNG_MS)) killHung(turn, reason);
  fail(turn, reason);
}

/**
 * It runs, others may write to it, and no pause reaches it: it is ended before anybody else leads. While nobody can, it
 * is better than nothing.
 */
function giveUpUnreached(turn: Turn, reason: string): void {
  const { k, now } = turn;
  const mandate = mandateOf(turn);
  const mayStay = mandate.leader === 'us' && now < mandate.until && !k.siblings.some(({ alive }) => alive);
  if (mayStay) return holdOn(turn, `${reason}; it cannot be reached, and nobody else could lead`);
  revokeVip(turn, reason);
  want(turn, null);
  killHung(turn, `${reason}, and it cannot be reached`);
  fail(turn, reason);
}

function fail(turn: Turn, reason: string): void {
  if (turn.k.state !== 'failed') turn.log('warning', reason);
  turn.become('failed', reason);
}

function yieldLease(turn: Turn, reason: string): void {
  const { k, now } = turn;
  const named = k.record !== null && samePlace(k.record.master, k.settings.self);
  if (k.settings.ttl_ms === null || !(mayBeGranted(k, now) || (named && k.lease.givenBack === null))) return;
  release(turn, reason);
}

/** It is there, and cannot be told anything yet. */
function awaitRedis(turn: Turn, reason: string): void {
  const { k, now } = turn;
  holdBack(turn, reason);
  if (mayBeGranted(k, now)) k.lease.giveBack ??= reason;
  want(turn, null);
  turn.become('starting', reason);
}

/** It does not answer for the moment: a leader stays one while it may, the others stay what they are. */
function holdOn(turn: Turn, reason: string): void {
  const { k, now } = turn;
  const mandate = mandateOf(turn);
  const mayLead = mandate.leader === 'us' && now < mandate.until;
  if (mayLead) turn.at(mandate.until);
  else holdBack(turn, mandate.reason);
  if (k.state !== 'master') return;
  if (mayLead) {
    grantVip(turn, mandate.until);
    return turn.become('master', `${reason}; ${mandate.reason}`);
  }
  turn.become(mandate.leader === 'us' ? 'fenced' : 'quarantined', `${mandate.reason}; ${reason}`);
}

function keepUp(turn: Turn): void {
  const { k } = turn;
  if (k.state !== 'master') revokeVip(turn, k.reason);
  askDue(turn);
  askForNews(turn);
  infoDue(turn);
  pingDue(turn);
  lookDue(turn);
  persistDue(turn, 'when due');
}

function askForNews(turn: Turn): void {
  const { k, now } = turn;
  if (!turn.wantsNews) {
    k.newsWantedSince = null;
    return;
  }
  k.newsWantedSince ??= now;
  const elapsed_ms = k.newsAskedAt - k.newsWantedSince;
  if (!turn.isDue(k.newsAskedAt + Math.min(INFO_PERIOD_MS, Math.max(WATCH_MAX_MS, elapsed_ms / 4)))) return;
  k.newsAskedAt = now;
  turn.effects.push({ do: 'ask-siblings' });
  turn.at(now + WATCH_MAX_MS);
}
