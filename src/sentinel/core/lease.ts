/**
 * The master's lease (docs/lease.md): the keeper of a master asks every Sentinel for a grant that lasts a ttl, and its
 * Redis takes writes only while a majority of grants lives. What a Sentinel owes for it: a grant goes to one place at a
 * time, no vote while one lives, no grant to the old master after a vote. Grants live in memory alone: whoever has just
 * started waits until those of its former life are over.
 */
import { askInfo } from './info.js';
import type { Address } from './io.js';
import { currentMasterAddress, sameAddress } from './names.js';
import type { Grant, Group, RedisNode } from './state.js';
import { LEASE_GRACE_MS, LEASE_PROMISE_MS, withDrift_ms } from './timing.js';
import { place, type Turn } from './turn.js';

/** A keeper asks for the lease of its master. */
export interface LeaseAsk {
  readonly holder: Address;
  /** The config epoch in which it takes this Redis for the master. */
  readonly epoch: number;
  readonly ttl_ms: number;
  readonly handOver: boolean;
  /** The vote that we told it with a refusal (`outlivableVote`): since then it has held grants of a majority. Null: none. */
  readonly held: number | null;
  /** Another one after each release (`Grant`). */
  readonly term: number | null;
}

/** Grants or renews the lease. @returns why not, or null when it is granted from now on for the ttl */
export function askLease(turn: Turn, group: Group, ask: LeaseAsk): string | null {
  const refusal = refusalOf(turn, group, ask);
  if (refusal !== null) return refusal;
  const { lease } = group;
  const before = liveGrant(turn, group);
  const until = turn.now + ask.ttl_ms;
  lease.grant = { holder: ask.holder, epoch: ask.epoch, until, handOver: ask.handOver, term: ask.term };
  lease.heldUntil = Math.max(lease.heldUntil, until);
  if (lease.released !== null && sameAddress(lease.released.by, ask.holder)) lease.released = null;
  // It has just been promoted, or is about to be: what it said of itself before is not true for long.
  if (group.master.role !== 'master' && sameAddress(ask.holder, group.master.link.address)) askInfo(turn, group.master);
  if (group.ackReplicas > 0 && lease.history === '') askInfo(turn, group.master);
  // A renewal changes nothing that anybody waits for.
  if (before === null || before.handOver !== ask.handOver) turn.touch(group);
  if (before?.epoch !== ask.epoch) {
    turn.log('notice', `Lease of ${group.name} granted to ${place(turn.s, ask.holder)} in epoch ${ask.epoch}`);
  }
  return null;
}

function refusalOf(turn: Turn, group: Group, ask: LeaseAsk): string | null {
  const { holder, epoch, ttl_ms, held } = ask;
  const { lease, leaseTtl_ms, configEpoch } = group;
  if (leaseTtl_ms === 0) return 'this Sentinel has no lease-ttl for the group';
  if (ttl_ms > leaseTtl_ms) return `a ttl of ${ttl_ms} ms is longer than the lease-ttl of ${leaseTtl_ms} ms`;
  if (epoch !== configEpoch) return `epoch ${epoch} is ${epoch < configEpoch ? 'over' : 'not known here yet'}`;
  const master = currentMasterAddress(group);
  if (!sameAddress(holder, master)) return `the master is ${place(turn.s, master)}`;
  const grant = liveGrant(turn, group);
  if (grant !== null && !sameAddress(grant.holder, holder)) return grantText(turn, grant);
  if (held !== null && held === group.leaderEpoch) lease.outlivedVote = held;
  return waitText(turn, group) ?? promiseText(turn, group);
}

/** Gives a lease back: its Redis is gone, or takes no writes any more. */
export function releaseLease(
  turn: Turn,
  group: Group,
  ask: Pick<LeaseAsk, 'holder' | 'epoch' | 'term'>,
  reason: string,
): void {
  const { lease } = group;
  const { holder, epoch, term } = ask;
  const { grant } = lease;
  // A release that comes late says nothing of a lease that was asked for after it, be it in a later epoch or in the same.
  const isLate = grant !== null && grant.term !== null && term !== null && grant.term !== term;
  if (isLate && sameAddress(grant.holder, holder)) return;
  if (grant !== null && sameAddress(grant.holder, holder) && grant.epoch <= epoch) {
    lease.grant = null;
    lease.heldUntil = Math.min(lease.heldUntil, turn.now);
  }
  if (epoch === group.configEpoch && sameAddress(holder, currentMasterAddress(group))) {
    lease.released = { by: holder, reason };
    turn.log('notice', `The lease of ${group.name} was given back by ${place(turn.s, holder)}: ${reason}`);
  }
  turn.touch(group);
}

/** The grant that still binds us, whoever holds it. */
export function liveGrant(turn: Turn, { lease }: Group): Grant | null {
  return lease.grant !== null && turn.now < lease.grant.until ? lease.grant : null;
}

/** The grant that the master holds of us; null when it holds none. */
function masterGrant(turn: Turn, group: Group): Grant | null {
  const grant = liveGrant(turn, group);
  return grant !== null && sameAddress(grant.holder, group.master.link.address) ? grant : null;
}

/** Whether the master holds a grant of ours and has not consented to a successor. */
export function isLeased(turn: Turn, group: Group): boolean {
  return masterGrant(turn, group)?.handOver === false;
}

/**
 * For so long nobody but the master can hold a grant of ours, nor can we have voted for anybody since it was given, in
 * milliseconds; 0 when nothing can be said.
 */
export function masterLeasedFor_ms(turn: Turn, group: Group): number {
  const grant = liveGrant(turn, group);
  if (grant === null || grant.handOver || !sameAddress(grant.holder, currentMasterAddress(group))) return 0;
  return promiseText(turn, group) === null ? Math.floor(grant.until - turn.now) : 0;
}

/** Whether the master's keeper renews its grant of ours, and has consented to a successor: it is there, and will step down. */
export function isHandedOver(turn: Turn, group: Group): boolean {
  return masterGrant(turn, group)?.handOver === true;
}

/** For proxies and clients: whoever has been elected is about to pause the writes of a master that is handed over. */
export function announceHandOver(turn: Turn, group: Group): void {
  if (isHandedOver(turn, group)) turn.event('notice', '+hand-over', group.master);
}

/** Whether such an election is over, as far as this Sentinel knows: it has been won here, or our vote has gone to another. */
export function isSteppingDown({ lease, failover, leader, leaderEpoch, configEpoch }: Group, myId: string): boolean {
  if (lease.grant?.handOver !== true) return false;
  if (failover !== null) return failover.phase !== 'wait-start';
  return leader !== null && leader !== myId && leaderEpoch > Math.max(configEpoch, lease.outlivedVote);
}

/** Why this Sentinel may elect nobody now, itself included; null when it may. */
export function voteLimitation(turn: Turn, group: Group): string | null {
  if (group.leaseTtl_ms === 0) return null;
  const grant = liveGrant(turn, group);
  if (grant !== null && !grant.handOver) return grantText(turn, grant);
  return waitText(turn, group);
}

/**
 * The master has told what it is, and that in a lease: what it acknowledges is in this history. One that has been started anew
 * from its files, and may not lead yet, does not make us forget it.
 */
export function noteHistory(turn: Turn, { group, role, replId }: RedisNode): void {
  if (role === 'master' && replId !== '' && masterGrant(turn, group) !== null) group.lease.history = replId;
}

/** From when on `voteLimitation` is null if nothing is renewed. */
export function mayVoteAt(turn: Turn, group: Group): number {
  if (voteLimitation(turn, group) === null) return turn.now;
  return Math.max(waitEndsAt(group), liveGrant(turn, group)?.until ?? turn.now);
}

/** When a master that is down is to be looked at again, since no lease protects it any more. */
export function leaseDueAt(turn: Turn, group: Group): number {
  if (group.master.sdownSince === null || voteLimitation(turn, group) === null) return Number.POSITIVE_INFINITY;
  return mayVoteAt(turn, group);
}

/** Why the master is down by what we know of its lease, or null. */
export function leaseDownReason(turn: Turn, group: Group): string | null {
  const { lease, master } = group;
  if (group.leaseTtl_ms === 0) return null;
  // Our failover has promoted another: leases are that one's now, and say nothing of the old master.
  if (currentMasterAddress(group) !== master.link.address) return master.sdownSince === null ? null : master.downReason;
  if (lease.released !== null && sameAddress(lease.released.by, master.link.address)) {
    return `its keeper gave the lease back: ${lease.released.reason}`;
  }
  if (turn.now < lapsesAt(group)) return null;
  const since = Math.max(lease.recordSince, lease.heldUntil - group.leaseTtl_ms);
  return `its lease was not renewed for ${Math.round(turn.now - since)} ms`;
}

/** When the master is down for want of a lease, if none is granted before. */
export function lapsesAt(group: Group): number {
  const { lease, leaseTtl_ms } = group;
  if (leaseTtl_ms === 0) return Number.POSITIVE_INFINITY;
  return Math.max(
    lease.heldUntil,
    lease.recordSince + leaseTtl_ms + LEASE_GRACE_MS,
    waitEndsAt(group) + LEASE_GRACE_MS,
  );
}

/** The master is another one now: it is given time to get its first lease. Grants to the old one bind us as before. */
export function awaitLease(turn: Turn, { lease }: Group, master: Address): void {
  lease.recordSince = turn.now;
  lease.history = '';
  lease.heldUntil = lease.grant !== null && sameAddress(lease.grant.holder, master) ? lease.grant.until : turn.now;
  if (lease.released !== null && !sameAddress(lease.released.by, master)) lease.released = null;
}

/** Grants that we gave before we were started may be counted on until then: until then we neither grant nor vote. */
export function waitEndsAt({ lease, leaseTtl_ms }: Group): number {
  return lease.bornAt + withDrift_ms(Math.max(leaseTtl_ms, lease.formerTtl_ms));
}

function waitText(turn: Turn, group: Group): string | null {
  const left_ms = waitEndsAt(group) - turn.now;
  return left_ms <= 0
    ? null
    : `this Sentinel has just started: its earlier grants may live for ${Math.ceil(left_ms)} ms`;
}

function grantText(turn: Turn, { holder, until }: Grant): string {
  return `${place(turn.s, holder)} holds a grant for another ${Math.ceil(until - turn.now)} ms`;
}

/** After a vote the old master must not be leased again while the elected Sentinel may be promoting another. */
function promiseText(turn: Turn, group: Group): string | null {
  const { leader, leaderEpoch, configEpoch, lease } = group;
  if (leader === null || leaderEpoch <= Math.max(configEpoch, lease.outlivedVote)) return null;
  // With durability, what the old master acknowledged later would be lost whenever the promotion came through.
  if (group.ackReplicas === 0 && turn.now >= lease.votedAt + LEASE_PROMISE_MS) return null;
  return `our vote in epoch ${leaderEpoch} may have made another the master`;
}

/**
 * The epoch of our last vote if it keeps us from granting although whoever could win by it must have promoted by now, and
 * whatever was granted before it is over. A majority that grants after this has not elected that one, so nobody has, in time
 * to promote (docs/lease.md): then our promise is void. Null for none.
 */
export function outlivableVote(turn: Turn, group: Group): number | null {
  const { leaseTtl_ms, leaderEpoch, lease } = group;
  if (leaseTtl_ms === 0 || promiseText(turn, group) === null) return null;
  return turn.now < lease.votedAt + LEASE_PROMISE_MS + withDrift_ms(leaseTtl_ms) ? null : leaderEpoch;
}
