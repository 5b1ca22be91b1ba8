/**
 * A planned failover with the living master's help, so that no acknowledged write is lost: its writes are paused, the
 * target's offset is watched until it equals the master's, and only then the target is promoted. That takes a few
 * round trips. Where the pause is refused, Redis's own FAILOVER (6.2 and later) does the same; it takes up to a second,
 * since it waits for the replica's periodic acknowledgement.
 */
import { ErrorReply, type Reply } from '../../redis/reply.js';
import { askInfo, follows } from './info.js';
import type { CoordinationStep } from './io.js';
import { shownHost } from './names.js';
import type { Coordination, Failover, Group } from './state.js';
import { COORDINATION_MAX_MS, HELP_WITHIN_MS, PAUSE_MARGIN, PAUSE_SPARE_MS, withDrift_ms } from './timing.js';
import { nodeName, type Turn } from './turn.js';

type Coordinating = Extract<Failover, { phase: 'coordinate' }>;

/** What follows from the state of a coordination. */
export type CoordinationOutcome =
  | { readonly next: 'wait' }
  | { readonly next: 'way'; readonly way: Coordination }
  | { readonly next: 'promote' }
  | { readonly next: 'promoted' }
  /** The master does not help after all, and the failover can do without. */
  | { readonly next: 'unaided'; readonly why: string }
  | { readonly next: 'abort'; readonly why: string };

/**
 * Whether the master is to be asked for help: in a planned failover, and in one that its lease has brought about while it
 * still answers, as when its agent has died. One whose keeper gave the lease back has taken its last write.
 */
export function mayHelp(turn: Turn, group: Group, { manual }: Failover): boolean {
  const { master } = group;
  if (master.role !== 'master' || !turn.canSend(master.link)) return false;
  if (manual === 'planned' || manual === 'coordinated') return master.sdownSince === null;
  if (manual === 'forced' || group.leaseTtl_ms === 0) return false;
  const why = whyNoHelp(turn, group);
  if (why !== null) turn.log('notice', `The master of ${group.name} is not asked for help: ${why}`);
  return why === null;
}

function whyNoHelp(turn: Turn, { lease, master: { link } }: Group): string | null {
  if (lease.released !== null) return 'its lease was given back';
  const silent_ms = link.activePingSince === null ? 0 : turn.now - link.activePingSince;
  return silent_ms < HELP_WITHIN_MS ? null : `it has not answered for ${Math.round(silent_ms)} ms`;
}

/** Asks the master to hold its writes. @returns null when it cannot be asked. */
export function beginCoordination(turn: Turn, group: Group): Coordination | null {
  const { master } = group;
  const length_ms = pause_ms(group);
  const asked = turn.sendTo(master, tag(group, 'pause'), ['CLIENT', 'PAUSE', String(length_ms), 'WRITE']);
  if (asked) turn.log('notice', `The master of ${group.name} is asked to pause its writes for ${length_ms} ms`);
  return asked ? { by: 'pause', paused: false, until: turn.now + length_ms, offset: null } : null;
}

/**
 * How long writes may be held. A master that holds them answers no PUBLISH, so no Sentinel that has just sent its hello:
 * to those it must not look dead before it answers again.
 */
function pause_ms(group: Group): number {
  const usual_ms = Math.min(COORDINATION_MAX_MS, group.downAfter_ms / 2);
  // The pause must outlast the lease that the master may still count on.
  const lease_ms = group.leaseTtl_ms === 0 ? 0 : withDrift_ms(group.leaseTtl_ms) + PAUSE_SPARE_MS;
  return Math.max(1, Math.floor(Math.max(usual_ms, lease_ms)));
}

/** From here on it is too late to promote: the pause might end before the old master is told. */
function lastMoment(group: Group, until: number): number {
  return until - pause_ms(group) * PAUSE_MARGIN;
}

function tag(group: Group, step: CoordinationStep): { kind: 'coordinate'; master: string; step: CoordinationStep } {
  return { kind: 'coordinate', master: group.name, step };
}

/** How the coordination stands now. A failover that nobody asked for goes on where one that is planned gives up. */
export function coordinate(turn: Turn, group: Group, failover: Coordinating): CoordinationOutcome {
  const outcome = outcomeOf(turn, group, failover);
  if (failover.manual !== 'no') return outcome;
  if (outcome.next === 'abort') return { next: 'unaided', why: outcome.why };
  if (group.master.link.command.phase !== 'up') return { next: 'unaided', why: 'it has gone' };
  if (outcome.next === 'wait' && !isHelping(failover) && turn.now > failover.since + HELP_WITHIN_MS) {
    return { next: 'unaided', why: 'it does not answer' };
  }
  return outcome;
}

function isHelping({ way }: Coordinating): boolean {
  return way.by === 'failover-command' || (way.by === 'pause' && way.paused);
}

function outcomeOf(turn: Turn, group: Group, failover: Coordinating): CoordinationOutcome {
  const { target, way } = failover;
  if (way.by === 'failover-command') {
    // It becomes a master by the old one's word alone: nobody has to promote it.
    if (target.role === 'master' && target.info.askedAt >= failover.since) return { next: 'promoted' };
    if (turn.now <= handOverEndsAt(group, failover)) return { next: 'wait' };
    turn.sendTo(group.master, tag(group, 'abort'), ['FAILOVER', 'ABORT']);
    return { next: 'abort', why: `${nodeName(turn.s, target)} did not catch up in ${pause_ms(group)} ms` };
  }
  if (way.by === 'nobody') return { next: 'abort', why: `the master will not help: ${way.why}` };
  if (turn.now > lastMoment(group, way.until)) {
    // The pause is left to end by itself, soon: another Sentinel's failover may have come to rely on it.
    return { next: 'abort', why: `${nodeName(turn.s, target)} did not catch up while writes were paused` };
  }
  if (!way.paused) return { next: 'wait' };
  if (way.offset === null) return readOffset(turn, group, failover, way);
  if (!hasCaughtUp(turn, group, failover, way.offset)) return { next: 'wait' };
  const name = nodeName(turn.s, target);
  turn.log('notice', `Writes of ${group.name} are paused at offset ${way.offset}, and ${name} has all of them`);
  return { next: 'promote' };
}

/** An offset alone proves nothing: one that does not follow this master may be as far in another history. */
function hasCaughtUp(turn: Turn, group: Group, { target, since }: Coordinating, offset: number): boolean {
  return (
    target.info.askedAt >= since &&
    target.masterLinkUp &&
    follows(turn, target, group.master) &&
    target.replOffset >= offset
  );
}

type Pause = Extract<Coordination, { by: 'pause' }>;

function readOffset(turn: Turn, group: Group, failover: Coordinating, way: Pause): CoordinationOutcome {
  const { master } = group;
  if (master.info.askedAt < failover.since || master.info.again || master.info.outstandingSince !== null) {
    return { next: 'wait' };
  }
  if (master.role !== 'master') return { next: 'abort', why: 'the master has become a replica' };
  askInfo(turn, failover.target);
  return { next: 'way', way: { ...way, offset: master.masterReplOffset } };
}

/** The reply to a request of this file. Where help is refused, a planned failover goes on as redis-sentinel's does. */
export function onCoordinationReply(turn: Turn, group: Group, step: CoordinationStep, reply: Reply): void {
  const { failover } = group;
  if (failover?.phase !== 'coordinate') return;
  const refused = reply instanceof ErrorReply ? reply.message : null;
  turn.touch(group);
  if (step === 'pause' && failover.way.by === 'pause') {
    if (refused === null) {
      group.failover = { ...failover, since: turn.now, way: { ...failover.way, paused: true } };
      askInfo(turn, group.master);
      askInfo(turn, failover.target);
    } else {
      turn.log(
        'notice',
        `The master of ${group.name} refused CLIENT PAUSE (${refused}); asking it for FAILOVER instead`,
      );
      askToHandOver(turn, group, failover);
    }
  } else if (step === 'failover' && refused !== null) {
    withoutHelp(turn, group, failover, refused);
  }
}

function askToHandOver(turn: Turn, group: Group, failover: Coordinating): void {
  const { address } = failover.target.link;
  const place = [shownHost(turn.s, address), String(address.port)];
  const request: [string, ...string[]] = ['FAILOVER', 'TO', ...place, 'TIMEOUT', String(pause_ms(group))];
  if (turn.sendTo(group.master, tag(group, 'failover'), request)) {
    group.failover = { ...failover, since: turn.now, way: { by: 'failover-command' } };
  } else {
    withoutHelp(turn, group, failover, 'it cannot be reached');
  }
}

/** It lacks the command, or we the right: no later try would end otherwise. Anything else may be better in a moment. */
const UNABLE = /^(?:NOPERM|ERR unknown (?:sub)?command|ERR syntax)|cannot be reached/i;

function withoutHelp(turn: Turn, group: Group, failover: Coordinating, refused: string): void {
  if (failover.manual !== 'planned' || group.ackReplicas > 0 || !UNABLE.test(refused)) {
    // The phase itself gives up and says so.
    group.failover = { ...failover, way: { by: 'nobody', why: refused } };
    return;
  }
  turn.log('warning', `The master of ${group.name} will not help (${refused}): writes may be lost in this failover`);
  const { epoch, startedAt, manual, to, target } = failover;
  group.failover = { phase: 'send-slaveof-noone', epoch, startedAt, manual, to, since: turn.now, target };
}

/** Redis gives up by itself at its time-out; a little later so do we, if nothing was heard. */
function handOverEndsAt(group: Group, failover: Coordinating): number {
  return failover.since + pause_ms(group) * 1.2;
}

/** When the phase is to be looked at again. */
export function coordinateDueAt(group: Group, failover: Coordinating): number {
  const { way } = failover;
  if (way.by === 'failover-command') return handOverEndsAt(group, failover) + 1;
  if (way.by === 'nobody') return failover.since;
  const due = Math.max(failover.since, lastMoment(group, way.until) + 1);
  return way.paused || failover.manual !== 'no' ? due : Math.min(due, failover.since + HELP_WITHIN_MS + 1);
}
