/**
 * The lease: asking the voters, counting their grants, giving them back.
 *
 * A grant counts from when it was ASKED for, since the voter cannot have given it earlier; so it ends here before it ends
 * there. The lease is held while a majority of grants counts. Majorities intersect, and a voter has one holder at a time.
 */
import type { Input, VoterId } from './io.js';
import { type Ask, type Keeper, type Lease, NEVER, samePlace, sameRecord, type Voter } from './state.js';
import { ASKS_MAX, grantCounts_ms, guard_ms, majority, renewal_ms } from './timing.js';
import type { Turn } from './turn.js';

const GRANTED = 'granted';

/** @param term any number that an earlier life is unlikely to have used */
export function newLease(voters: readonly VoterId[], term: number): Lease {
  const newVoter = (id: VoterId): Voter => ({
    id,
    asks: [],
    nextAskAt: NEVER,
    validUntil: NEVER,
    boundUntil: NEVER,
    consents: false,
    said: 'not asked yet',
    answeredAskAt: NEVER,
    record: null,
    masterLeasedUntil: NEVER,
    vote: null,
  });
  return { voters: voters.map(newVoter), nextAsk: 1, wanted: null, giveBack: null, givenBack: null, term };
}

/** Until when a majority of grants counts; `NEVER` when none does. */
export function heldUntil({ lease: { voters } }: Keeper): number {
  const needed = majority(voters.length);
  let until = NEVER;
  for (const { validUntil } of voters)
    if (validUntil > until && countValid(voters, validUntil) >= needed) until = validUntil;
  return until;
}

function countValid(voters: readonly Voter[], until: number): number {
  let count = 0;
  for (const { validUntil } of voters) if (validUntil >= until) count += 1;
  return count;
}

/**
 * Until when a majority elects nobody in the place of the master that the record names: it has lent that one the lease, and
 * no voter does so once it has voted for another.
 */
export function masterLeasedUntil({ lease: { voters }, record }: Keeper): number {
  const until = voters
    .filter((voter) => voter.record !== null && record !== null && sameRecord(voter.record, record))
    .map((voter) => voter.masterLeasedUntil)
    .sort((a, b) => b - a);
  return until[majority(voters.length) - 1] ?? NEVER;
}

/** Until when writes and VIP may be here: the lease's end less the time that it takes to let go of them. */
export function mayLeadUntil(k: Keeper): number {
  const { ttl_ms } = k.settings;
  return ttl_ms === null ? NEVER : heldUntil(k) - guard_ms(ttl_ms);
}

/** How the voters stand, for people. A grant that is about to run out does not help any more. */
export function describeVoters(k: Keeper, now: number): string {
  const enough = now + guard_ms(k.settings.ttl_ms ?? 0);
  const without = k.lease.voters.filter((voter) => voter.validUntil <= enough);
  const granted = k.lease.voters.length - without.length;
  const why = without.map(({ id, said }) => `${id}: ${said === GRANTED ? 'no answer to later asks' : said}`);
  const details = why.length === 0 ? '' : ` (${why.join('; ')})`;
  return `${granted} of ${k.lease.voters.length} voters grant the lease${details}, ${majority(k.lease.voters.length)} are needed`;
}

/** Sets whether, and why, the lease is asked for from now on. */
export function want(turn: Turn, why: 'lead' | 'confirm' | null): void {
  const { lease } = turn.k;
  if (why === null) {
    lease.wanted = null;
    return;
  }
  lease.givenBack = null;
  if (lease.wanted?.why === why) return;
  lease.wanted = { why, since: turn.now };
  for (const voter of lease.voters) voter.nextAskAt = Math.min(voter.nextAskAt, turn.now);
}

/** The lease has been lost: it is asked for as often as at the beginning. */
export function wantAnew(turn: Turn): void {
  const { lease } = turn.k;
  if (lease.wanted === null) return;
  lease.wanted = { why: lease.wanted.why, since: turn.now };
  askAllNow(turn);
}

/** Asks every voter that is due. None waits for another. */
export function askDue(turn: Turn): void {
  const { k, now } = turn;
  const { ttl_ms } = k.settings;
  if (ttl_ms === null || k.lease.wanted === null || k.lease.giveBack !== null) return;
  for (const voter of k.lease.voters) {
    if (!turn.isDue(voter.nextAskAt)) continue;
    ask(turn, voter, ttl_ms);
    voter.nextAskAt = now + renewal_ms(ttl_ms);
    turn.at(voter.nextAskAt);
  }
}

/** Asks all of them now, whatever was asked before. */
export function askAllNow(turn: Turn): void {
  for (const voter of turn.k.lease.voters) voter.nextAskAt = turn.now;
}

function ask(turn: Turn, voter: Voter, ttl_ms: number): void {
  const { k, now } = turn;
  const handOver = k.handOver !== null;
  const epoch = k.record?.epoch ?? 0;
  const id = k.lease.nextAsk++;
  // What is answered later than this could not count any more.
  voter.asks = voter.asks.filter((each) => now - each.sentAt < ttl_ms).slice(1 - ASKS_MAX);
  voter.asks.push({ id, sentAt: now, epoch, handOver });
  // It must be held now, which is after that voter has spoken: what was held before its vote proves nothing.
  const held = heldUntil(k) > now ? voter.vote : null;
  const { term } = k.lease;
  turn.effects.push({ do: 'ask-lease', voter: voter.id, ask: id, epoch, ttl_ms, handOver, held, term, reason: '' });
}

/** Takes an answer. Those to asks from before a release, or older than one already answered, are not known any more. */
export function onLease(turn: Turn, input: Extract<Input, { on: 'lease' }>): void {
  const { k } = turn;
  const voter = k.lease.voters.find(({ id }) => id === input.voter);
  const answered = voter?.asks.find(({ id }) => id === input.ask);
  if (voter === undefined || answered === undefined) return;
  voter.asks = voter.asks.filter(({ id }) => id > input.ask);
  voter.answeredAskAt = answered.sentAt;
  voter.record = input.record ?? voter.record;
  voter.masterLeasedUntil = answered.sentAt + grantCounts_ms(input.leased_ms);
  voter.vote = input.vote;
  const counts = input.granted && isForUs(k, answered, input);
  if (input.granted) voter.boundUntil = Math.max(voter.boundUntil, turn.now + (k.settings.ttl_ms ?? 0));
  voter.said = counts ? GRANTED : input.reason || 'refused';
  if (counts) {
    voter.validUntil = Math.max(voter.validUntil, answered.sentAt + grantCounts_ms(k.settings.ttl_ms ?? 0));
    voter.consents = answered.handOver;
  } else {
    voter.validUntil = NEVER;
    voter.consents = false;
    retrySoon(turn, voter);
  }
}

/** A grant from one who believes in another master, or in us in another epoch, is none. */
function isForUs(k: Keeper, answered: Ask, { record }: Extract<Input, { on: 'lease' }>): boolean {
  return record === null || (samePlace(record.master, k.settings.self) && record.epoch === answered.epoch);
}

export function onLeaseFailed(turn: Turn, input: Extract<Input, { on: 'lease-failed' }>): void {
  const voter = turn.k.lease.voters.find(({ id }) => id === input.voter);
  if (voter === undefined || !voter.asks.some(({ id }) => id === input.ask)) return;
  voter.asks = voter.asks.filter(({ id }) => id !== input.ask);
  voter.said = input.why;
  voter.vote = null;
  retrySoon(turn, voter);
}

/** What another held is free: whoever waits for it asks at once, not when the next ask is due. */
export function onLeaseFreed(turn: Turn): void {
  const { k, now } = turn;
  if (k.lease.wanted !== null && mayLeadUntil(k) <= now) askAllNow(turn);
}

/** While the lease is not held every voter counts: asked again in milliseconds, later at the pace of renewals. */
function retrySoon(turn: Turn, voter: Voter): void {
  const { k, now } = turn;
  const { ttl_ms } = k.settings;
  if (ttl_ms === null || k.lease.wanted === null) return;
  const held = mayLeadUntil(k) > now;
  const pace_ms = renewal_ms(ttl_ms);
  const wait_ms = held ? pace_ms : turn.watchPeriod_ms(now - k.lease.wanted.since, pace_ms);
  voter.nextAskAt = Math.min(voter.nextAskAt, now + wait_ms);
}

/** Whether some voter may hold a grant of ours. */
export function mayBeGranted(k: Keeper, now: number): boolean {
  const ttl_ms = k.settings.ttl_ms ?? 0;
  return k.lease.voters.some(
    (voter) => voter.boundUntil > now || voter.asks.some(({ sentAt }) => now - sentAt < ttl_ms),
  );
}

/** No grant counts any more, nor will the answer to any ask that is under way. */
export function forgetGrants(k: Keeper): void {
  for (const voter of k.lease.voters) {
    voter.asks = [];
    voter.validUntil = NEVER;
    voter.boundUntil = NEVER;
    voter.consents = false;
  }
}

/** Gives the lease back at once. Only when our Redis takes no writes: another may lead from now on. */
export function release(turn: Turn, reason: string): void {
  const { k } = turn;
  const told = k.lease.givenBack !== null && !mayBeGranted(k, turn.now);
  k.lease.wanted = null;
  k.lease.giveBack = null;
  if (k.settings.ttl_ms === null || told) return;
  k.lease.givenBack = reason;
  forgetGrants(k);
  const epoch = k.record?.epoch ?? 0;
  const hasAsked = k.lease.nextAsk > 1;
  for (const voter of k.lease.voters) {
    const id = k.lease.nextAsk++;
    turn.effects.push({
      do: 'ask-lease',
      voter: voter.id,
      ask: id,
      epoch,
      ttl_ms: 0,
      handOver: false,
      held: null,
      term: hasAsked ? k.lease.term : null,
      reason,
    });
  }
  k.lease.term += 1;
}
