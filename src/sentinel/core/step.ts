/**
 * The Sentinel core: `createSentinel`, `step`, `nextDeadline`. Pure: no clock, no sockets, no randomness but its own
 * seeded source; what it wants done it returns as data.
 */
import { assert, unreachable } from '../../base/assert.js';
import type { Reply } from '../../redis/reply.js';
import { onCommand } from '../commands/command.js';
import { onCoordinationReply } from './coordinate.js';
import { repairDueAt, repairRoles } from './demote.js';
import { askDueAt, askOthers, judgeDown, judgeObjectivelyDown, onAskReply, sdownDueAt } from './down.js';
import { failoverDueAt, onPromoteReply, runFailover, startDueAt, startIfNeeded } from './failover.js';
import { helloDueAt, onHello, sendHello } from './hello.js';
import { askDueInfo, askInfo, infoDueAt, onInfo } from './info.js';
import type { Effect, Input, Tag } from './io.js';
import { leaseDueAt, noteHistory } from './lease.js';
import { onClosed, onConnected, onPong, sweepLink } from './links.js';
import { onResolved } from './names.js';
import { toSnapshot } from './restore.js';
import { type Group, type Instance, isMaster, type Link, redisNodes, type Sentinel } from './state.js';
import { tiltEndsAt, watchForTilt } from './tilt.js';
import { TICK_GRAIN_MS } from './timing.js';
import { Turn } from './turn.js';

/**
 * Takes one input at one moment. The state is changed in place; the effects are to be carried out in order, each
 * `persist` before what follows it.
 * @param now monotonic milliseconds, never less than in an earlier step
 */
export function step(s: Sentinel, now: number, input: Input): Effect[] {
  const turn = new Turn(s, now);
  watchForTilt(turn);
  take(turn, input);
  if (input.on === 'tick') wakeDue(turn);
  settle(turn);
  if (input.on === 'tick') s.dueAt = earliestWake(s);
  return turn.finish(() => toSnapshot(s));
}

/** When `step` wants to be called with a tick at the latest; infinite when nothing is watched. */
export function nextDeadline(s: Sentinel): number {
  return Math.ceil(s.dueAt / TICK_GRAIN_MS) * TICK_GRAIN_MS;
}

/** Exact after a tick; between ticks `dueAt` only moves nearer, which spares looking at all of them at every reply. */
function earliestWake(s: Sentinel): number {
  let due = Number.POSITIVE_INFINITY;
  for (const link of s.links) due = Math.min(due, link.wakeAt);
  for (const group of s.groups.values()) due = Math.min(due, group.wakeAt);
  return due;
}

function take(turn: Turn, input: Input): void {
  switch (input.on) {
    case 'tick':
      return;
    case 'resolved':
      return onResolved(turn, input.host, input.ip);
    case 'command':
      return onCommand(turn, input.client, input.args);
    case 'connected':
    case 'closed':
    case 'reply':
    case 'hello':
      return takeFromLink(turn, input);
    default:
      unreachable(input, 'input');
  }
}

type LinkInput = Extract<Input, { on: 'connected' | 'closed' | 'reply' | 'hello' }>;

function takeFromLink(turn: Turn, input: LinkInput): void {
  const known = turn.s.conns.get(input.conn);
  // A connection that we have closed may still have had something on its way.
  if (known === undefined) return;
  const { link, conn } = known;
  conn.lastHeardAt = turn.now;
  switch (input.on) {
    case 'connected':
      turn.touchLink(link);
      assert(conn.phase === 'connecting', 'only a connection that was asked for can be made');
      onConnected(turn, link, conn, input.localIp);
      if (conn === link.command) introduce(turn, link);
      return;
    case 'closed':
      turn.touchLink(link);
      return onClosed(turn, link, conn, input.why, input.detail);
    case 'hello':
      return onHello(turn, input.message);
    case 'reply':
      link.pending -= 1;
      assert(link.pending >= 0, 'every reply answers a request');
      return onReply(turn, link, input.tag, input.reply);
  }
}

/** What is asked of and told to an instance as soon as it can be reached. */
function introduce(turn: Turn, link: Link): void {
  for (const owner of link.owners) {
    if (owner.kind === 'redis') askInfo(turn, owner);
    sendHello(turn, owner);
  }
}

function onReply(turn: Turn, link: Link, tag: Tag, reply: Reply): void {
  switch (tag.kind) {
    case 'ping':
      turn.touchLink(link);
      return onPong(turn, link, reply);
    case 'info':
      for (const owner of link.owners) {
        if (owner.kind !== 'redis') continue;
        onInfo(turn, owner, reply);
        if (isMaster(owner)) noteHistory(turn, owner);
      }
      return;
    case 'ask': {
      const peer = turn.s.groups.get(tag.master)?.sentinels.get(tag.peer);
      if (peer !== undefined) onAskReply(turn, peer, tag.epoch, reply);
      return;
    }
    case 'promote': {
      const group = turn.s.groups.get(tag.master);
      if (group !== undefined) onPromoteReply(turn, group, tag.epoch, reply);
      return askOwners(turn, link);
    }
    case 'reconfigure':
    case 'demote':
      // The order was carried out or refused: INFO tells which.
      return askOwners(turn, link);
    case 'coordinate': {
      const group = turn.s.groups.get(tag.master);
      if (group !== undefined) onCoordinationReply(turn, group, tag.step, reply);
      return;
    }
    case 'hello':
    case 'ignore':
      return;
    default:
      unreachable(tag, 'tag');
  }
}

function askOwners(turn: Turn, link: Link): void {
  for (const owner of link.owners) if (owner.kind === 'redis') askInfo(turn, owner);
}

function wakeDue(turn: Turn): void {
  for (const link of turn.s.links) if (link.wakeAt <= turn.now) turn.touchLink(link);
  for (const group of turn.s.groups.values()) if (group.wakeAt <= turn.now) turn.touch(group);
}

/** Looks at everything that the input or the time has touched, until nothing new is touched. */
function settle(turn: Turn): void {
  for (let rounds = 0; turn.touched.size + turn.touchedLinks.size > 0; rounds++) {
    assert(rounds < 100, 'a step comes to rest');
    for (const link of turn.touchedLinks) {
      turn.touchedLinks.delete(link);
      if (!turn.s.links.has(link)) continue;
      sweepLink(turn, link);
      turn.s.dueAt = Math.min(turn.s.dueAt, link.wakeAt);
    }
    for (const group of turn.touched) {
      turn.touched.delete(group);
      if (turn.s.groups.get(group.name) !== group) continue;
      sweepGroup(turn, group);
      turn.s.dueAt = Math.min(turn.s.dueAt, group.wakeAt);
    }
  }
}

function sweepGroup(turn: Turn, group: Group): void {
  observe(turn, group);
  if (turn.s.tiltSince === null) act(turn, group);
  group.wakeAt = wakeAt(turn, group);
}

/** The half that only looks: always. */
function observe(turn: Turn, group: Group): void {
  for (const instance of instances(group)) if (turn.now >= helloDueAt(instance)) sendHello(turn, instance);
  askDueInfo(turn, group);
}

/** The half that judges and acts: not in TILT. */
function act(turn: Turn, group: Group): void {
  judgeDown(turn, group);
  judgeObjectivelyDown(turn, group);
  startIfNeeded(turn, group);
  runFailover(turn, group);
  askOthers(turn, group, 'when due');
  repairRoles(turn, group);
}

function wakeAt(turn: Turn, group: Group): number {
  let due = tiltEndsAt(turn);
  for (const instance of instances(group)) {
    due = Math.min(due, helloDueAt(instance), sdownDueAt(instance));
    due = Math.min(due, instance.kind === 'redis' ? infoDueAt(instance) : askDueAt(instance));
  }
  due = Math.min(
    due,
    failoverDueAt(turn, group),
    startDueAt(turn, group),
    repairDueAt(turn, group),
    leaseDueAt(turn, group),
  );
  return Math.max(due, turn.now + 1);
}

function instances(group: Group): Instance[] {
  return [...redisNodes(group), ...group.sentinels.values()];
}
