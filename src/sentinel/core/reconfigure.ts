/** The last phase of a failover: the other replicas and the old master are made to follow the new one. */
import { followsNobody, mayDemoteAtOnce, sendToMaster } from './demote.js';
import { follows } from './info.js';
import type { Tag } from './io.js';
import { clearFailover, type Failover, type Group, isLeftToKeeper, type RedisNode, redisNodes } from './state.js';
import { switchToPromoted } from './switch.js';
import { REPLICA_RECONF_TIMEOUT_MS, SWITCH_GRACE_MS } from './timing.js';
import type { Turn } from './turn.js';

type Reconf = Extract<Failover, { phase: 'reconf' }>;

/** Moves the reconfiguration on; ends the failover when all have followed or its time is over. */
export function reconfigure(turn: Turn, group: Group, failover: Reconf): void {
  demoteOld(turn, group, failover);
  for (const node of others(group, failover)) followProgress(turn, failover, node);
  const late = turn.now - failover.since > group.failoverTimeout_ms;
  const open = others(group, failover).filter((node) => node.reconf?.state !== 'done');
  const reachable = open.filter((node) => node.sdownSince === null);
  if (!late && reachable.length === 0 && awaitsKeeperUntil(turn, failover) !== null) {
    return switchOver(turn, group, failover);
  }
  if (late || reachable.length === 0) {
    if (late && reachable.length > 0) orderTheRest(turn, group, failover, reachable);
    else turn.event('warning', '+failover-end', group);
    end(turn, group, failover);
    return;
  }
  sendNext(turn, group, failover, reachable);
  // A replica that synchronises for minutes must not keep the news from the clients.
  if (turn.now - failover.since >= SWITCH_GRACE_MS) switchOver(turn, group, failover);
}

/** The promoted one is the master, for clients too; what is left to do goes on. */
function switchOver(turn: Turn, group: Group, failover: Reconf): void {
  if (failover.switched) return;
  switchToPromoted(turn, group, failover.target);
  group.failover = { ...failover, switched: true };
}

/** When the phase is to be looked at again. */
export function reconfigureDueAt(turn: Turn, group: Group, failover: Reconf): number {
  let due = failover.since + group.failoverTimeout_ms + 1;
  if (!failover.switched) due = Math.min(due, failover.since + SWITCH_GRACE_MS);
  due = Math.min(due, awaitsKeeperUntil(turn, failover) ?? due);
  for (const node of others(group, failover)) {
    if (node.reconf?.state === 'sent') due = Math.min(due, node.reconf.since + REPLICA_RECONF_TIMEOUT_MS + 1);
  }
  return due;
}

/** All that have to follow the new master, the old master apart: it is down, or dealt with on its own. */
function others(group: Group, failover: Reconf): RedisNode[] {
  return redisNodes(group).filter((node) => node !== failover.target && node !== failover.old);
}

/**
 * The old master is ordered to follow as soon as it can be told; writes that it takes meanwhile would be lost. While it is
 * handed over they are paused, and its keeper is left to do it: an order of ours would cut that one's connection, and it
 * gives the lease back only when it knows that the order was carried out.
 */
function demoteOld(turn: Turn, group: Group, failover: Reconf): void {
  const { old, target } = failover;
  if (old.reconf !== null) return;
  if (isLeftToKeeper(failover, old) && old.role === 'replica' && old.info.askedAt >= failover.since) {
    old.reconf = { state: 'done', since: turn.now };
  }
  if (old.reconf !== null || awaitsKeeperUntil(turn, failover) !== null || !turn.canSend(old.link)) return;
  if (failover.switched && !mayDemoteAtOnce(turn, old)) return;
  const done = sendToMaster(turn, old, target, { kind: 'demote', master: group.name });
  if (done === 'lost') return;
  old.reconf = { state: 'done', since: turn.now };
  if (done === 'left') return;
  old.demotedAt = turn.now;
  const whom = done === 'sent' ? 'the new one' : 'nobody: its keeper joins it to the new one';
  turn.log('notice', `The old master of ${group.name} is told to follow ${whom}`);
}

/** Until when the old master is left to its keeper; null when it is not, or not any more: then word from it is waited for. */
function awaitsKeeperUntil(turn: Turn, { old, keeperUntil }: Reconf): number | null {
  return old.reconf === null && keeperUntil !== null && turn.now < keeperUntil ? keeperUntil : null;
}

function tag({ name }: Group): Tag {
  return { kind: 'reconfigure', master: name };
}

function sendNext(turn: Turn, group: Group, failover: Reconf, open: readonly RedisNode[]): void {
  let busy = open.filter((node) => node.reconf !== null).length;
  for (const node of open) {
    if (busy >= group.parallelSyncs) return;
    if (node.reconf !== null || !turn.canSend(node.link)) continue;
    const done = sendToMaster(turn, node, failover.target, tag(group));
    if (done === 'lost') continue;
    node.reconf = { state: 'sent', since: turn.now };
    if (done === 'sent') turn.event('notice', '+slave-reconf-sent', node);
    busy += 1;
  }
}

/** It was told to follow nobody, until it is known what it holds. */
function isStopped(node: RedisNode): boolean {
  return node.group.leaseTtl_ms > 0 && followsNobody(node);
}

function followProgress(turn: Turn, failover: Reconf, node: RedisNode): void {
  const { reconf } = node;
  if (reconf === null || reconf.state === 'done') return;
  const fresh = node.info.askedAt >= reconf.since;
  if (reconf.state === 'sent') {
    if (fresh && isStopped(node) && sendToMaster(turn, node, failover.target, tag(node.group)) === 'sent') {
      // What it holds is known now: all of it is in the new master's history.
      node.reconf = { state: 'sent', since: turn.now };
      turn.event('notice', '+slave-reconf-sent', node);
    } else if (fresh && follows(turn, node, failover.target)) {
      node.reconf = { state: 'inprog', since: reconf.since };
      turn.event('notice', '+slave-reconf-inprog', node);
    } else if (turn.now - reconf.since > REPLICA_RECONF_TIMEOUT_MS) {
      node.reconf = { state: 'done', since: turn.now };
      turn.event('notice', '-slave-reconf-sent-timeout', node);
    }
  }
  if (node.reconf?.state === 'inprog' && fresh && node.masterLinkUp) {
    node.reconf = { state: 'done', since: turn.now };
    turn.event('notice', '+slave-reconf-done', node);
  }
}

/** Time is over: whoever has not been told is told now, and nobody is waited for. */
function orderTheRest(turn: Turn, group: Group, failover: Reconf, open: readonly RedisNode[]): void {
  turn.event('warning', '+failover-end-for-timeout', group);
  for (const node of open) {
    if (node.reconf !== null) continue;
    if (sendToMaster(turn, node, failover.target, tag(group)) === 'sent') {
      turn.event('notice', '+slave-reconf-sent-be', node);
    }
  }
}

function end(turn: Turn, group: Group, failover: Reconf): void {
  if (!failover.switched) switchToPromoted(turn, group, failover.target);
  clearFailover(group);
  turn.touch(group);
}
