/** Orders to a Redis to take a role, and the repair of those that have the wrong one. */
import { askInfo, follows } from './info.js';
import type { Tag } from './io.js';
import { isLeased } from './lease.js';
import { pingPeriod_ms } from './links.js';
import { shownHost } from './names.js';
import { type Group, isMaster, type RedisNode, type SentinelPeer } from './state.js';
import { CONVERT_WAIT_MS, HELLO_PERIOD_MS, INFO_PERIOD_MS, LEASE_PROMISE_MS, PING_PERIOD_MS } from './timing.js';
import type { Turn } from './turn.js';

/** Whom a Redis follows that is to take no writes and to keep what it has: nobody can answer there. */
const NOWHERE = ['127.0.0.1', '1'] as const;
/** One that follows nobody is joined after this. */
const JOIN_WAIT_MS = 1_000;
/** An order that seems to have been lost is given again after this. */
const DEMOTE_AGAIN_MS = 1_000;

/**
 * Orders a Redis to follow `master`, or nobody. In one transaction the order is written to its configuration and all
 * clients are disconnected, so that they look for the master again. With leases those of a replica that stays one stay, too:
 * they read, and may go on reading. The keeper of one that is promoted learns of it by the end of its connection, and keeps
 * writes away until it has the lease.
 * @returns false when nothing could be sent.
 */
export function sendReplicaOf(turn: Turn, node: RedisNode, master: RedisNode | null, tag: Tag): boolean {
  const { address } = (master ?? node).link;
  const target =
    master === null ? (['NO', 'ONE'] as const) : ([shownHost(turn.s, address), `${address.port}`] as const);
  return sendTarget(turn, node, target, tag);
}

/**
 * Orders a Redis that may have led, or followed another, to follow the master. With leases it may hold writes that the new
 * master does not; its keeper puts them aside before they are discarded. So here it follows at once only what has all that
 * it holds; else it is kept from changing, follows nobody, and the rest is left to its keeper.
 */
export function sendToMaster(
  turn: Turn,
  node: RedisNode,
  master: RedisNode,
  tag: Tag,
): 'sent' | 'halted' | 'left' | 'lost' {
  if (node.group.leaseTtl_ms === 0 || holdsAllOf(master, node)) {
    return sendReplicaOf(turn, node, master, tag) ? 'sent' : 'lost';
  }
  if (followsNobody(node)) return 'left';
  return sendTarget(turn, node, NOWHERE, tag) ? 'halted' : 'lost';
}

/** Whether nothing is lost when `node` takes over what `master` has: known only of one that follows nobody, and so stays as it is. */
function holdsAllOf(master: RedisNode, node: RedisNode): boolean {
  if (!followsNobody(node) || node.replId === '') return false;
  if (node.replId === master.replId) return node.replOffset <= master.masterReplOffset;
  return node.replId === master.replId2 && node.replOffset < master.secondOffset;
}

/** Whether it is where a Redis is sent that must not change. */
export function followsNobody({ role, masterHost, masterPort }: RedisNode): boolean {
  return role === 'replica' && masterHost === NOWHERE[0] && masterPort === Number(NOWHERE[1]);
}

function sendTarget(turn: Turn, node: RedisNode, target: readonly [string, string], tag: Tag): boolean {
  const ignore: Tag = { kind: 'ignore' };
  // A Redis with a keeper is told who it is whenever it starts: what its file says does not matter, and writing it takes
  // Redis some ten milliseconds in which it answers nobody.
  const kept = node.group.leaseTtl_ms > 0;
  const hasWriters = !kept || node.role !== 'replica' || target[0] === 'NO';
  const sent =
    turn.sendTo(node, ignore, ['MULTI']) &&
    turn.sendTo(node, ignore, ['SLAVEOF', ...target]) &&
    (kept || turn.sendTo(node, ignore, ['CONFIG', 'REWRITE'])) &&
    (!hasWriters || turn.sendTo(node, ignore, ['CLIENT', 'KILL', 'TYPE', 'normal'])) &&
    (!hasWriters || turn.sendTo(node, ignore, ['CLIENT', 'KILL', 'TYPE', 'pubsub'])) &&
    turn.sendTo(node, tag, ['EXEC']);
  // A pause of a planned failover has served its purpose. Whoever changes the role ends it, for this order disconnects
  // the Sentinel that began it; a master that is still paused, or is one again too soon, would look dead.
  if (sent) turn.sendTo(node, ignore, ['CLIENT', 'UNPAUSE']);
  return sent;
}

/**
 * Stops a replica where it is, for the time of a failover: it takes nothing more from a master that lives on, and so
 * acknowledges nothing more for it. It stays a replica, and keeps its clients.
 */
export function sendHalt(turn: Turn, node: RedisNode): boolean {
  return turn.sendTo(node, { kind: 'ignore' }, ['SLAVEOF', ...NOWHERE]);
}

/**
 * In maintenance nobody but the operator gives roles. The Sentinels of a pair are always in it: there VRRP decides, and
 * keepers put aside what would be lost before they join a Redis to its master. With leases there is `mayRepair`.
 */
function leavesRolesAlone({ failover, paused, leaseTtl_ms }: Group): boolean {
  return failover !== null || (paused && leaseTtl_ms === 0);
}

/** Repairs replicas that claim to be masters or follow somebody else. Not during a failover, nor in TILT. */
export function repairRoles(turn: Turn, group: Group): void {
  if (leavesRolesAlone(group)) return;
  for (const node of group.replicas.values()) {
    if (node.link.command.phase !== 'up' || node.sdownSince !== null) continue;
    if (node.role === 'master') repairMasterRole(turn, node);
    else repairWrongMaster(turn, node);
  }
}

function repairMasterRole(turn: Turn, node: RedisNode): void {
  const { group } = node;
  if (turn.now - node.demotedAt < DEMOTE_AGAIN_MS || !mayRepair(turn, node)) return;
  // Whether the new master still is one decides: what it said before this one came back does not count.
  if (node.formerMasterSince !== null && group.master.info.askedAt < node.link.command.since)
    askInfo(turn, group.master);
  const waited =
    masterLooksSane(turn, group) &&
    turn.now - node.lastDownAt > CONVERT_WAIT_MS &&
    turn.now - node.roleSince > CONVERT_WAIT_MS;
  if (!waited && !mayDemoteAtOnce(turn, node)) return;
  const done = sendToMaster(turn, node, group.master, { kind: 'demote', master: group.name });
  if (done !== 'sent' && done !== 'halted') return;
  node.demotedAt = turn.now;
  turn.event('notice', '+convert-to-slave', node);
}

/**
 * With leases whoever may have missed a change of master leaves the roles alone. It must hold a grant of ours; and since a
 * keeper's request may have been held up by a partition until it was no longer true, a majority must have been heard from
 * since the Redis in question can be reached.
 */
function mayRepair(turn: Turn, { group, link }: RedisNode): boolean {
  if (group.leaseTtl_ms === 0) return true;
  return isLeased(turn, group) && hearsMajority(turn, group, link.command.since);
}

/**
 * The former master is back and takes writes that will be lost: every moment counts, but only a Sentinel that knows the
 * newest configuration may act. So: it is the one that our last change of master left behind, the new master has said
 * since then that it is one, and a majority is with us: it answers while we lead, or was heard from since this Redis can
 * be reached.
 */
export function mayDemoteAtOnce(turn: Turn, node: RedisNode): boolean {
  const { group } = node;
  const { master } = group;
  if (node.formerMasterSince === null || isMaster(node) || node.role !== 'master') return false;
  const reachableSince = node.link.command.since;
  // What it said before it lost its place, or before it was cut off, is no news.
  if (node.info.askedAt < Math.max(reachableSince, node.formerMasterSince)) return false;
  if (master.sdownSince !== null || master.role !== 'master' || master.info.askedAt < reachableSince) return false;
  return hearsMajority(turn, group, reachableSince);
}

/** Whether a majority answers us while we lead, or was heard from since then. */
function hearsMajority(turn: Turn, group: Group, reachableSince: number): boolean {
  const leads = turn.now - group.ledAt < group.failoverTimeout_ms && group.leaderEpoch === group.configEpoch;
  let heard = 1;
  for (const peer of group.sentinels.values()) {
    if (peer.lastHelloAt >= reachableSince || (leads && answers(turn, peer))) heard += 1;
  }
  return heard >= Math.floor((group.sentinels.size + 1) / 2) + 1;
}

/** Whether it is in touch with us: a leader that was cut off may have been replaced while it was. */
function answers(turn: Turn, { link, sdownSince }: SentinelPeer): boolean {
  return link.command.phase === 'up' && sdownSince === null && turn.now - link.lastPongAt <= 2 * pingPeriod_ms(link);
}

function repairWrongMaster(turn: Turn, node: RedisNode): void {
  const { group } = node;
  // One that was made to follow nobody has its keeper to join it, or, when that is gone, nobody but us.
  const wait_ms = followsNobody(node) ? joinWait_ms(group) : group.failoverTimeout_ms;
  if (follows(turn, node, group.master) || !masterLooksSane(turn, group) || !mayRepair(turn, node)) return;
  if (turn.now - node.lastDownAt <= wait_ms || turn.now - node.masterChangedAt <= wait_ms) return;
  if (turn.now - node.demotedAt < HELLO_PERIOD_MS) return;
  const done = sendToMaster(turn, node, group.master, { kind: 'demote', master: group.name });
  if (done !== 'sent' && done !== 'halted') return;
  node.demotedAt = turn.now;
  turn.event('notice', '+fix-slave-config', node);
}

/** Another may have stopped it to compare what it has; with `ack-replicas` it takes nothing more until that one is done. */
function joinWait_ms({ ackReplicas }: Group): number {
  return ackReplicas > 0 ? LEASE_PROMISE_MS : JOIN_WAIT_MS;
}

function masterLooksSane(turn: Turn, { master, odownSince }: Group): boolean {
  return (
    master.role === 'master' &&
    master.sdownSince === null &&
    odownSince === null &&
    master.link.command.phase === 'up' &&
    turn.now - master.info.at < INFO_PERIOD_MS * 2
  );
}

/** When a repair is to be considered again although nothing happens. */
export function repairDueAt(turn: Turn, group: Group): number {
  if (leavesRolesAlone(group)) return Number.POSITIVE_INFINITY;
  for (const node of group.replicas.values()) {
    if (node.link.command.phase !== 'up') continue;
    if (node.role === 'master' || !follows(turn, node, group.master)) return turn.now + PING_PERIOD_MS;
  }
  return Number.POSITIVE_INFINITY;
}
