/**
 * The failover: when it may begin, its phases, how it ends. Each phase is one function that either waits or moves on;
 * `moveTo` alone changes the phase.
 */
import type { Reply } from '../../redis/reply.js';
import { allHaveAnswered, chooseCandidate, hasCandidate, someHaveAnswered } from './candidate.js';
import { beginCoordination, coordinate, coordinateDueAt, mayHelp } from './coordinate.js';
import { sendReplicaOf } from './demote.js';
import { askOthers } from './down.js';
import { halt, haveHalted } from './durability.js';
import { sendHelloToAll } from './hello.js';
import { askInfo } from './info.js';
import { announceHandOver, isHandedOver, mayVoteAt, voteLimitation } from './lease.js';
import { reconfigure, reconfigureDueAt } from './reconfigure.js';
import {
  clearFailover,
  type Failover,
  type Group,
  NEVER,
  type RedisNode,
  redisNodes,
  type StartTurn,
} from './state.js';
import { runReconfigScript } from './switch.js';
import {
  ELECTION_TIMEOUT_MS,
  HOLD_LEAD_MAX_MS,
  HOLD_LEAD_MS,
  KEEPER_DEMOTES_MS,
  LEASE_PROMISE_MS,
  LEASE_PROMISE_SPARE_MS,
  MANUAL_ELECTION_MS,
  MAX_DESYNC_MS,
  NO_CANDIDATE_RETRY_MS,
  PROBE_MS,
  PROBE_NONE_MS,
  PROMOTED_WITHIN_MS,
  SPLIT_RETRIES_MAX,
  SPLIT_RETRY_MAX_MS,
  SPLIT_RETRY_MIN_MS,
  START_JITTER_MS,
  START_LATE_MS,
  START_RANK_STEP_MAX_MS,
  START_RANK_STEP_MS,
  STARTS_MISSED_MAX,
  TICK_GRAIN_MS,
} from './timing.js';
import { describe, nodeName, type Turn } from './turn.js';
import { awaitsVotes, tally, vote } from './vote.js';

type Phase<P extends Failover['phase']> = Extract<Failover, { phase: P }>;

/** Begins a failover if the master is objectively down and nothing speaks against it. */
export function startIfNeeded(turn: Turn, group: Group): void {
  if (group.odownSince === null || group.paused || voteLimitation(turn, group) !== null) return;
  if (group.failover !== null) {
    if (!isTailOfSwitch(group)) return;
    turn.log(
      'warning',
      `The new master of ${group.name} is down: leaving its replicas' reconfiguration to the next failover`,
    );
    clearFailover(group);
  }
  const blockedUntil = startBlockedUntil(turn, group);
  if (turn.now < blockedUntil) {
    logDelay(turn, group, blockedUntil);
    return;
  }
  group.start ??= drawStart(turn, group, 0);
  const { at, missed } = group.start;
  if (turn.now < at) return;
  // Whoever stands now, without having read what came while it was not running, splits the votes.
  if (turn.now > at + START_LATE_MS && missed < STARTS_MISSED_MAX) group.start = drawStart(turn, group, missed + 1);
  else startFailover(turn, group, 'no');
}

/** All stand in turn, also those that are late: a loaded host has kept several of them waiting, and they wake together. */
function drawStart(turn: Turn, group: Group, missed: number): StartTurn {
  const least_ms = missed === 0 ? 0 : TICK_GRAIN_MS;
  const jitter_ms = turn.s.prng.below(START_JITTER_MS);
  return { at: turn.now + least_ms + delayByRank_ms(turn, group) + jitter_ms, missed };
}

/** The new master is told already; only its replicas were still being moved. */
function isTailOfSwitch(group: Group): boolean {
  return group.failover?.phase === 'reconf' && group.failover.switched;
}

/** No failover begins within twice failover-timeout of the last one, unless that one is known to lead nowhere. */
function startBlockedUntil(turn: Turn, group: Group): number {
  if (group.noCandidateRetryAt !== null && hasCandidate(turn, group)) return group.noCandidateRetryAt;
  const chosen = group.votedFor === null ? undefined : group.sentinels.get(group.votedFor);
  if (chosen !== undefined && chosen.sdownSince !== null) return NEVER;
  // With leases one that has not promoted by then does not promote any more.
  const wait_ms = group.leaseTtl_ms > 0 ? LEASE_PROMISE_MS : group.failoverTimeout_ms * 2;
  return group.failoverStartAt + wait_ms;
}

function logDelay(turn: Turn, group: Group, blockedUntil: number): void {
  if (group.delayLoggedFor === group.failoverStartAt) return;
  group.delayLoggedFor = group.failoverStartAt;
  const wait_ms = Math.ceil(blockedUntil - turn.now);
  turn.log(
    'warning',
    `Next failover delay: I will not start a failover of ${group.name} within the next ${wait_ms} ms`,
  );
}

/** The living Sentinels start one after the other, by run id, so that votes seldom split. */
function delayByRank_ms(turn: Turn, group: Group): number {
  let before = 0;
  let step_ms = START_RANK_STEP_MS;
  for (const { runId, sdownSince, link } of group.sentinels.values()) {
    if (sdownSince !== null || link.command.phase !== 'up') continue;
    if (runId < turn.s.myId) before += 1;
    step_ms = Math.max(step_ms, Math.min(START_RANK_STEP_MAX_MS, 2 * link.roundTrip_ms));
  }
  return before * step_ms;
}

/** When `startIfNeeded` is to be called again although nothing happens. */
export function startDueAt(turn: Turn, group: Group): number {
  if (group.odownSince === null || (group.failover !== null && !isTailOfSwitch(group))) return Number.POSITIVE_INFINITY;
  if (group.paused) return Number.POSITIVE_INFINITY;
  return Math.max(turn.now, mayVoteAt(turn, group), group.start?.at ?? startBlockedUntil(turn, group));
}

/** Stands for election in a new epoch: our own vote first, then those of the others. */
export function startFailover(turn: Turn, group: Group, manual: Failover['manual'], to: Failover['to'] = null): void {
  const epoch = ++turn.s.currentEpoch;
  group.failover = { phase: 'wait-start', epoch, startedAt: turn.now, since: turn.now, manual, to };
  group.givenUp = null;
  group.failoverStartAt = turn.now;
  group.votedFor = null;
  group.start = null;
  group.noCandidateRetryAt = null;
  turn.persist();
  turn.plainEvent('warning', '+new-epoch', String(epoch), group);
  turn.event('warning', '+try-failover', group);
  vote(turn, group, epoch, turn.s.myId);
  askOthers(turn, group, 'forced');
  turn.touch(group);
}

/** Moves a failover on as far as it can go now. */
export function runFailover(turn: Turn, group: Group): void {
  // Each phase may make the next one possible at once; a failover has fewer phases than this bound.
  for (let moves = 0; moves < 8; moves++) {
    const { failover } = group;
    if (failover === null) return;
    runPhase(turn, group, failover);
    if (group.failover === failover) return;
  }
}

/**
 * An operator's failover has nothing to hurry for: when our vote in a later epoch has gone to another, that one's turn has
 * come, and two that pause, compare and promote at once would lose writes.
 */
function hasGivenWay(turn: Turn, group: Group, failover: Failover): boolean {
  if (failover.manual === 'no' || failover.phase === 'wait-promotion' || failover.phase === 'reconf') return false;
  return group.leaderEpoch > failover.epoch && group.leader !== turn.s.myId;
}

function runPhase(turn: Turn, group: Group, failover: Failover): void {
  if (hasGivenWay(turn, group, failover)) {
    const { leaderEpoch, leader } = group;
    return abort(turn, group, '-failover-abort-not-elected', `our vote in epoch ${leaderEpoch} went to ${leader}`);
  }
  if (turn.now > promiseEndsAt(group, failover)) {
    return abort(turn, group, '-failover-abort-slave-timeout', 'the old master may be leased again from now on');
  }
  switch (failover.phase) {
    case 'wait-start':
      return awaitElection(turn, group, failover);
    case 'select':
      return select(turn, group, failover);
    case 'coordinate':
      return coordinatePhase(turn, group, failover);
    case 'send-slaveof-noone':
      return sendPromotion(turn, group, failover);
    case 'wait-promotion':
      return awaitPromotion(turn, group, failover);
    case 'reconf':
      return reconfigure(turn, group, failover);
  }
}

/**
 * Those who voted keep the lease from the old master for a while: what they promised must hold when the promotion is sent,
 * and when the promoted one says so.
 */
function promiseEndsAt({ leaseTtl_ms }: Group, { phase, startedAt }: Failover): number {
  if (leaseTtl_ms === 0 || phase === 'wait-start' || phase === 'reconf') return Number.POSITIVE_INFINITY;
  return startedAt + (phase === 'wait-promotion' ? PROMOTED_WITHIN_MS : LEASE_PROMISE_MS - LEASE_PROMISE_SPARE_MS);
}

/** When the phase under way runs out of time or has to be looked at again. */
export function failoverDueAt(turn: Turn, group: Group): number {
  const { failover } = group;
  if (failover === null) return Number.POSITIVE_INFINITY;
  return Math.min(phaseDueAt(turn, group, failover), promiseEndsAt(group, failover) + 1);
}

function phaseDueAt(turn: Turn, group: Group, failover: Failover): number {
  switch (failover.phase) {
    case 'wait-start':
      return failover.since + electionTimeout_ms(group, failover) + 1;
    case 'select':
      if (isAnswered(group, failover)) return pausesAt(turn, group, failover);
      return failover.since + (someHaveAnswered(group, failover.since) ? PROBE_MS : PROBE_NONE_MS);
    case 'coordinate':
      return coordinateDueAt(group, failover);
    case 'send-slaveof-noone':
    case 'wait-promotion':
      return failover.since + group.failoverTimeout_ms + 1;
    case 'reconf':
      return reconfigureDueAt(turn, group, failover);
  }
}

function electionTimeout_ms(group: Group, failover: Failover): number {
  if (failover.manual !== 'no') return MANUAL_ELECTION_MS;
  return Math.min(ELECTION_TIMEOUT_MS, group.failoverTimeout_ms);
}

function awaitElection(turn: Turn, group: Group, failover: Phase<'wait-start'>): void {
  const outcome = tally(turn, group, failover.epoch);
  const late = turn.now - failover.since > electionTimeout_ms(group, failover);
  if (outcome.result === 'won') {
    turn.event('warning', '+elected-leader', group);
    group.ledAt = turn.now;
    group.splitRetries = 0;
    announceHandOver(turn, group);
    enterSelect(turn, group, failover);
  } else if (failover.manual !== 'no' && group.leaseTtl_ms === 0 && (outcome.result !== 'open' || late)) {
    turn.log('warning', `No majority voted for the failover of ${group.name}; going on, as it was asked for by hand`);
    enterSelect(turn, group, failover);
  } else if (outcome.result === 'lost') {
    abort(turn, group, '-failover-abort-not-elected', `${outcome.to} was elected`);
    // Theirs is under way: leave it the time that a failover of ours would have had.
    group.votedFor = outcome.to;
  } else if (outcome.result === 'split') {
    abort(turn, group, '-failover-abort-not-elected', `nobody can win epoch ${failover.epoch} any more`);
    // Unless our vote in a later epoch has gone to another: then it is that one's turn.
    if (group.votedFor === null && failover.manual === 'no') retrySoon(turn, group);
  } else if (late) {
    abort(turn, group, '-failover-abort-not-elected', `${outcome.votes} of ${outcome.needed} votes came in time`);
  }
}

function retrySoon(turn: Turn, group: Group): void {
  if (group.splitRetries >= SPLIT_RETRIES_MAX) return;
  group.splitRetries += 1;
  group.failoverStartAt = NEVER;
  group.start = { at: turn.now + turn.s.prng.between(SPLIT_RETRY_MIN_MS, SPLIT_RETRY_MAX_MS), missed: 0 };
}

function enterSelect(turn: Turn, group: Group, failover: Failover): void {
  if (turn.s.crashAfterElection) {
    turn.effects.push({ act: 'crash', why: 'SENTINEL SIMULATE-FAILURE crash-after-election' });
    return;
  }
  turn.event('warning', '+failover-state-select-slave', group);
  beginSelection(turn, group, failover, false);
}

function beginSelection(turn: Turn, group: Group, failover: Failover, unaided: boolean): void {
  moveTo(turn, group, { ...base(failover), phase: 'select', since: turn.now, unaided, halted: null });
  // What replicas said up to ten seconds ago is no ground for a choice: ask them all again.
  for (const node of redisNodes(group)) askInfo(turn, node);
}

function base(failover: Failover): Pick<Failover, 'epoch' | 'startedAt' | 'manual' | 'to'> {
  return { epoch: failover.epoch, startedAt: failover.startedAt, manual: failover.manual, to: failover.to };
}

function moveTo(turn: Turn, group: Group, next: Failover): void {
  group.failover = next;
  turn.touch(group);
}

function select(turn: Turn, group: Group, failover: Phase<'select'>): void {
  const elapsed = turn.now - failover.since;
  const enough = someHaveAnswered(group, failover.since) ? PROBE_MS : PROBE_NONE_MS;
  if (!isAnswered(group, failover) && elapsed < enough) return;
  if (turn.now < pausesAt(turn, group, failover)) return;
  const aided = !failover.unaided && mayHelp(turn, group, failover);
  if (!aided && failover.halted === null && needsProof(group, failover)) return haltReplicas(turn, group, failover);
  const { since: freshSince, to } = failover;
  const { chosen, reasons } = chooseCandidate(turn, group, {
    freshSince,
    to,
    proof: aided ? null : failover.halted,
    linked: failover.manual === 'coordinated',
  });
  for (const reason of reasons) turn.log('notice', `Not chosen as master of ${group.name}: ${reason}`);
  if (chosen === null) {
    const why = group.replicas.size === 0 ? 'no replica is known' : reasons.join('; ');
    abort(turn, group, '-failover-abort-no-good-slave', why);
    // Another Sentinel may know or reach a replica that we do not: all of them get their turn before our next.
    if (failover.manual === 'no') group.failoverStartAt = turn.now + MAX_DESYNC_MS;
    group.noCandidateRetryAt = turn.now + NO_CANDIDATE_RETRY_MS + turn.s.prng.below(NO_CANDIDATE_RETRY_MS);
    return;
  }
  turn.event('warning', '+selected-slave', chosen);
  turn.log('notice', `Chosen as master of ${group.name}: ${nodeName(turn.s, chosen)}, offset ${chosen.replOffset}`);
  const way = aided ? beginCoordination(turn, group) : null;
  if (way !== null) {
    moveTo(turn, group, { ...base(failover), phase: 'coordinate', since: turn.now, target: chosen, way });
    return;
  }
  if (aided) return beginSelection(turn, group, failover, true);
  if (failover.manual === 'coordinated') {
    abort(turn, group, '-failover-abort-master-unreachable', 'a coordinated failover needs the master');
    return;
  }
  turn.event('notice', '+failover-state-send-slaveof-noone', chosen);
  moveTo(turn, group, { ...base(failover), phase: 'send-slaveof-noone', since: turn.now, target: chosen });
}

/** Whether nothing more is to be waited for. */
function isAnswered(group: Group, failover: Phase<'select'>): boolean {
  const { since, halted } = failover;
  return allHaveAnswered(group, since) && masterHasAnswered(group, failover) && (halted === null || haveHalted(halted));
}

/**
 * A change that is asked for counts on the master's help: one that has just become the master may have been a replica when it
 * was last heard.
 */
function masterHasAnswered({ master }: Group, { manual, unaided, since }: Phase<'select'>): boolean {
  if (unaided || (manual !== 'planned' && manual !== 'coordinated')) return true;
  return master.sdownSince !== null || master.link.command.phase !== 'up' || master.info.askedAt >= since;
}

/**
 * When the master may be paused. What a proxy sends to one that is handed over should have been answered by then, or it
 * would be cut off under way: a proxy holds its requests from the vote of its host's Sentinel on.
 */
function pausesAt(turn: Turn, group: Group, { since, epoch }: Failover): number {
  if (!isHandedOver(turn, group)) return since;
  if (awaitsVotes(turn, group, epoch)) return since + HOLD_LEAD_MAX_MS;
  const votes = [...group.sentinels.values()].filter(({ leaderEpoch }) => leaderEpoch === epoch);
  return Math.min(
    since + HOLD_LEAD_MAX_MS,
    Math.max(since, ...votes.map((peer) => peer.lastAskReplyAt)) + HOLD_LEAD_MS,
  );
}

/** An operator's force goes on without proof that no acknowledged write is lost; a coordinated one not without the master. */
function needsProof({ ackReplicas }: Group, { manual }: Failover): boolean {
  return ackReplicas > 0 && (manual === 'no' || manual === 'planned');
}

/** What the replicas have is compared while it cannot become more. */
function haltReplicas(turn: Turn, group: Group, failover: Phase<'select'>): void {
  const halted = halt(turn, group, failover.since);
  moveTo(turn, group, { ...failover, since: turn.now, unaided: true, halted });
}

function coordinatePhase(turn: Turn, group: Group, failover: Phase<'coordinate'>): void {
  const step = coordinate(turn, group, failover);
  switch (step.next) {
    case 'wait':
      return;
    case 'way':
      group.failover = { ...failover, way: step.way };
      return;
    case 'promote':
      turn.event('notice', '+failover-state-send-slaveof-noone', failover.target);
      moveTo(turn, group, {
        ...base(failover),
        phase: 'send-slaveof-noone',
        since: turn.now,
        target: failover.target,
      });
      return;
    case 'promoted':
      return promoted(turn, group, failover, failover.target);
    case 'unaided':
      turn.log('warning', `The master of ${group.name} does not help (${step.why}): going on without it`);
      return beginSelection(turn, group, failover, true);
    case 'abort':
      abort(turn, group, '-failover-abort-slave-timeout', step.why);
  }
}

function sendPromotion(turn: Turn, group: Group, failover: Phase<'send-slaveof-noone'>): void {
  if (turn.canSend(failover.target.link)) {
    sendReplicaOf(turn, failover.target, null, { kind: 'promote', master: group.name, epoch: failover.epoch });
    turn.event('notice', '+failover-state-wait-promotion', failover.target);
    askInfo(turn, failover.target);
    moveTo(turn, group, { ...failover, phase: 'wait-promotion', since: turn.now, obeyed: false });
  } else if (turn.now - failover.since > group.failoverTimeout_ms) {
    abort(turn, group, '-failover-abort-slave-timeout', `${nodeName(turn.s, failover.target)} cannot be reached`);
  }
}

/** The answer to the transaction with SLAVEOF NO ONE. What was refused, or got lost, INFO tells. */
export function onPromoteReply(turn: Turn, group: Group, epoch: number, reply: Reply): void {
  const { failover } = group;
  if (failover?.phase !== 'wait-promotion' || failover.epoch !== epoch || !Array.isArray(reply) || reply[0] !== 'OK')
    return;
  moveTo(turn, group, { ...failover, obeyed: true });
}

function awaitPromotion(turn: Turn, group: Group, failover: Phase<'wait-promotion'>): void {
  const { target, obeyed } = failover;
  if (obeyed || (target.role === 'master' && target.info.askedAt >= failover.since)) {
    promoted(turn, group, failover, target);
  } else if (turn.now - failover.since > group.failoverTimeout_ms) {
    abort(turn, group, '-failover-abort-slave-timeout', `${nodeName(turn.s, target)} did not become a master`);
  }
}

/** The replica says that it is the master now: from here on the new configuration holds, and everybody is told. */
function promoted(turn: Turn, group: Group, failover: Failover, target: RedisNode): void {
  group.configEpoch = failover.epoch;
  turn.persist();
  turn.event('warning', '+promoted-slave', target);
  if (turn.s.crashAfterPromotion) {
    turn.effects.push({ act: 'crash', why: 'SENTINEL SIMULATE-FAILURE crash-after-promotion' });
    return;
  }
  const old = group.master;
  if (failover.phase === 'coordinate' && group.leaseTtl_ms === 0) {
    turn.sendTo(target, { kind: 'ignore' }, ['CONFIG', 'REWRITE']);
  }
  const keeperUntil = isHandedOver(turn, group) ? turn.now + KEEPER_DEMOTES_MS : null;
  moveTo(turn, group, {
    ...base(failover),
    phase: 'reconf',
    since: turn.now,
    target,
    old,
    switched: false,
    keeperUntil,
  });
  turn.event('warning', '+failover-state-reconf-slaves', group);
  runReconfigScript(turn, group, 'leader', old.link.address, target.link.address);
  sendHelloToAll(turn, group);
}

/** Gives a failover up; nothing has been promoted. */
export function abort(turn: Turn, group: Group, type: string, why: string): void {
  turn.event('warning', type, group);
  turn.log('warning', `Failover given up for ${describe(turn.s, group)}: ${why}`);
  // What an operator tried must not keep us from acting when the master dies next.
  const { failover } = group;
  if (failover !== null && failover.manual !== 'no') group.failoverStartAt = NEVER;
  clearFailover(group, why);
  if (failover !== null && group.leaseTtl_ms > 0 && failover.phase !== 'wait-start') keepMaster(turn, group, failover);
}

/**
 * We were elected and have made nobody the master: then it stays the old one, in the epoch that was ours to give away. Those
 * who voted wait for the configuration of that epoch before they grant a lease again.
 */
function keepMaster(turn: Turn, group: Group, { epoch }: Failover): void {
  if (epoch <= group.configEpoch) return;
  group.configEpoch = epoch;
  turn.persist();
  turn.log('notice', `The master of ${group.name} stays, in epoch ${epoch}`);
  sendHelloToAll(turn, group);
}
