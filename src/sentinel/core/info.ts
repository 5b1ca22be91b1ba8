/** INFO: asked periodically and whenever something is expected to change; what it tells is taken over here. */
import { readServerInfo, type ServerInfo } from '../../redis/info.js';
import type { Reply } from '../../redis/reply.js';
import { addReplica } from './instances.js';
import { addressOf, findAt, isUsableHost, sameAddress } from './names.js';
import { type Group, isLeftToKeeper, isMaster, type RedisNode, redisNodes } from './state.js';
import { INFO_PERIOD_MS, INFO_PERIOD_URGENT_MS, nextBeat, REPLICAS_MAX, WATCH_PERIOD_MS } from './timing.js';
import type { Turn } from './turn.js';

/** Asks now; if a request is under way already, once more after its reply, which may be older than the question. */
export function askInfo(turn: Turn, node: RedisNode): void {
  if (node.info.outstandingSince !== null) {
    node.info.again = true;
    return;
  }
  if (!turn.sendTo(node, { kind: 'info' }, ['INFO'])) return;
  node.info.outstandingSince = turn.now;
  node.info.again = false;
}

/** When INFO is due from a Redis. */
export function infoDueAt(node: RedisNode): number {
  if (node.link.command.phase !== 'up') return Number.POSITIVE_INFINITY;
  if (node.info.outstandingSince !== null) return Number.POSITIVE_INFINITY;
  return nextBeat(node.info.askedAt, infoPeriod_ms(node));
}

function infoPeriod_ms(node: RedisNode): number {
  const watched = watchedSince(node);
  if (watched !== null) {
    // Right after the cause the change is near: ask often at first, then ever more seldom.
    const elapsed = Math.max(0, node.info.askedAt - watched);
    return Math.max(WATCH_PERIOD_MS, Math.min(INFO_PERIOD_URGENT_MS, elapsed / 4));
  }
  const { group } = node;
  // Whoever keeps a lease is watched closely: what an heir has is shown, and asked for, at any time.
  if (group.leaseTtl_ms > 0) return INFO_PERIOD_URGENT_MS;
  if (isMaster(node)) return INFO_PERIOD_MS;
  const urgent = group.odownSince !== null || group.failover !== null || node.masterLinkDown_ms > 0;
  return urgent ? INFO_PERIOD_URGENT_MS : INFO_PERIOD_MS;
}

/** Since when a change of this Redis is waited for: a promotion, a new master, an offset; null when none is. */
function watchedSince(node: RedisNode): number | null {
  const { failover } = node.group;
  if (node.reconf !== null && node.reconf.state !== 'done') return node.reconf.since;
  if (failover === null) return null;
  switch (failover.phase) {
    case 'wait-start':
    case 'select':
      return null;
    case 'coordinate':
      return node === failover.target || isMaster(node) ? failover.since : null;
    case 'send-slaveof-noone':
    case 'wait-promotion':
      return node === failover.target ? failover.since : null;
    case 'reconf':
      return node.reconf === null && isLeftToKeeper(failover, node) ? failover.since : null;
  }
}

/** Asks every Redis of a group whose INFO is due. */
export function askDueInfo(turn: Turn, group: Group): void {
  for (const node of redisNodes(group)) if (turn.now >= infoDueAt(node)) askInfo(turn, node);
}

/** Takes over what an INFO reply tells. Anything else than a text (an error, e.g. NOPERM) changes nothing. */
export function onInfo(turn: Turn, node: RedisNode, reply: Reply): void {
  const { info, group } = node;
  const askedAt = info.outstandingSince ?? turn.now;
  info.outstandingSince = null;
  if (typeof reply !== 'string') {
    // Not asked again before its period has passed.
    info.askedAt = askedAt;
    return;
  }
  info.text = reply;
  info.at = turn.now;
  info.askedAt = askedAt;
  const told = readServerInfo(reply);
  takeRunId(turn, node, told);
  takeRole(turn, node, told);
  node.version = told.version ?? '';
  node.replId = told.masterReplId ?? '';
  node.replId2 = told.masterReplId2 ?? '';
  node.secondOffset = told.secondReplOffset ?? -1;
  if (told.role === 'master') node.masterReplOffset = told.masterReplOffset ?? 0;
  if (isMaster(node)) discoverReplicas(turn, group, told);
  if (info.again) askInfo(turn, node);
  turn.touch(group);
}

function takeRunId(turn: Turn, node: RedisNode, told: ServerInfo): void {
  if (told.runId === null || told.runId === node.runId) return;
  const restarted = node.runId !== '';
  node.runId = told.runId;
  if (!restarted) return;
  turn.event('notice', '+reboot', node);
  if (!isMaster(node)) return;
  if (node.group.masterRebootDownAfter_ms > 0) node.rebootedAt = turn.now;
}

function takeRole(turn: Turn, node: RedisNode, told: ServerInfo): void {
  const { role } = told;
  if (role === null) return;
  if (role !== node.role) {
    node.role = role;
    node.roleSince = turn.now;
    if (role === 'replica') node.masterChangedAt = turn.now;
    const expected = isMaster(node) ? 'master' : 'replica';
    const word = role === 'replica' ? 'slave' : 'master';
    turn.event('verbose', role === expected ? '+role-change' : '-role-change', node, `new reported role is ${word}`);
  }
  if (role === 'replica') takeReplication(turn, node, told);
}

function takeReplication(turn: Turn, node: RedisNode, told: ServerInfo): void {
  const host = told.masterHost ?? node.masterHost;
  const port = told.masterPort ?? node.masterPort;
  if (host !== node.masterHost || port !== node.masterPort) {
    node.masterHost = host;
    node.masterPort = port;
    node.masterChangedAt = turn.now;
  }
  node.masterLinkUp = told.masterLinkUp === true;
  node.masterLinkDown_ms = (told.masterLinkDownSince_s ?? 0) * 1_000;
  node.priority = told.replicaPriority ?? node.priority;
  node.announced = told.replicaAnnounced;
  node.replOffset = told.replicaOffset ?? node.replOffset;
  // It is the replica that it ought to be: nothing is left to be demoted.
  if (!isMaster(node)) node.formerMasterSince = null;
}

/** Whether a replica says that it follows the Redis at this place. */
export function follows(turn: Turn, node: RedisNode, master: RedisNode): boolean {
  if (node.role !== 'replica') return false;
  return sameAddress(addressOf(turn.s, node.masterHost, node.masterPort), master.link.address);
}

function discoverReplicas(turn: Turn, group: Group, told: ServerInfo): void {
  for (const { host, port } of told.replicas) {
    if (port === 0 || !isUsableHost(turn, host) || group.replicas.size >= REPLICAS_MAX) continue;
    const address = addressOf(turn.s, host, port);
    if (findAt(redisNodes(group), address) !== null) continue;
    const node = addReplica(turn, group, address);
    turn.event('notice', '+slave', node);
    turn.persist();
  }
}
