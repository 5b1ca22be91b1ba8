/** Who is down: by our own eyes (SDOWN), and by agreement of the quorum (ODOWN). */
import type { Reply } from '../../redis/reply.js';
import { isLeased, lapsesAt, leaseDownReason } from './lease.js';
import { shownHost } from './names.js';
import { type Group, type Instance, isMaster, NEVER, type RedisNode, redisNodes, type SentinelPeer } from './state.js';
import { ASK_PERIOD_MS, FIRST_ASK_REPEAT_MS, INFO_PERIOD_MS } from './timing.js';
import type { Turn } from './turn.js';

/** Judges every instance of a group by what is known now. */
export function judgeDown(turn: Turn, group: Group): void {
  for (const node of redisNodes(group)) judgeInstance(turn, node);
  for (const peer of group.sentinels.values()) judgeInstance(turn, peer);
}

function judgeInstance(turn: Turn, instance: Instance): void {
  const reason = downReason(turn, instance);
  if (reason !== null && instance.sdownSince === null) {
    instance.sdownSince = turn.now;
    if (instance.kind === 'redis') {
      instance.downReason = reason;
      instance.scriptKillSent = false;
    }
    turn.event('warning', '+sdown', instance);
    turn.log('notice', `${instance.kind === 'redis' ? 'The Redis' : 'The Sentinel'} is down for us: ${reason}`);
  } else if (reason === null && instance.sdownSince !== null) {
    instance.sdownSince = null;
    turn.event('warning', '-sdown', instance);
  }
  if (instance.kind === 'redis' && (reason !== null || instance.link.command.phase !== 'up')) {
    instance.lastDownAt = turn.now;
  }
}

/** Why an instance is down for us, or null. */
function downReason(turn: Turn, instance: Instance): string | null {
  const { link, group } = instance;
  const unleased = instance.kind === 'redis' && isMaster(instance) ? leaseDownReason(turn, group) : null;
  if (unleased !== null) return unleased;
  const silent_ms = silence_ms(turn.now, instance);
  if (silent_ms > group.downAfter_ms) {
    const trouble = link.trouble === '' ? '' : ` (${link.trouble})`;
    return `no valid reply for ${Math.round(silent_ms)} ms${trouble}`;
  }
  if (instance.kind === 'sentinel') return null;
  if (group.fastDown && link.refusedSince !== null) return 'its host refuses connections: the process is gone';
  if (!isMaster(instance)) return null;
  if (instance.role === 'replica' && turn.now > wrongRoleDownAt(instance)) return 'it reports to be a replica';
  if (instance.rebootedAt !== null && turn.now > instance.rebootedAt + group.masterRebootDownAfter_ms) {
    return 'it restarted and does not answer PING with PONG yet';
  }
  return null;
}

/** How long there has been no valid reply although one was due. */
function silence_ms(now: number, { link }: Instance): number {
  if (link.activePingSince !== null) return now - link.activePingSince;
  return link.command.phase === 'up' ? 0 : now - link.lastAvailableAt;
}

function wrongRoleDownAt(node: RedisNode): number {
  return node.roleSince + node.group.downAfter_ms + INFO_PERIOD_MS * 2;
}

/** When an instance that stays as it is becomes SDOWN. */
export function sdownDueAt(instance: Instance): number {
  if (instance.sdownSince !== null) return Number.POSITIVE_INFINITY;
  const { link, group } = instance;
  let due = Number.POSITIVE_INFINITY;
  if (link.activePingSince !== null) due = link.activePingSince + group.downAfter_ms + 1;
  else if (link.command.phase !== 'up') due = link.lastAvailableAt + group.downAfter_ms + 1;
  if (instance.kind === 'sentinel' || !isMaster(instance)) return due;
  if (instance.role === 'replica') due = Math.min(due, wrongRoleDownAt(instance) + 1);
  if (instance.rebootedAt !== null) {
    due = Math.min(due, instance.rebootedAt + group.masterRebootDownAfter_ms + 1);
  }
  return Math.min(due, lapsesAt(group));
}

/** ODOWN: we and enough others, by fresh answers, find the master down. */
export function judgeObjectivelyDown(turn: Turn, group: Group): void {
  const agreeing = countAgreeing(turn, group);
  if (agreeing >= group.quorum && group.odownSince === null) {
    group.odownSince = turn.now;
    turn.event('warning', '+odown', group, `#quorum ${agreeing}/${group.quorum}`);
    if (group.paused) turn.log('warning', `${group.name} is paused: no failover begins before SENTINEL PAUSE … off`);
  } else if (agreeing < group.quorum && group.odownSince !== null) {
    group.odownSince = null;
    group.start = null;
    turn.event('warning', '-odown', group);
  }
}

/**
 * What we tell others that ask whether the master is down. One whose lease lives is not, however silent: we would vote for
 * nobody, so nobody should try.
 */
export function isDownForUs(turn: Turn, group: Group): boolean {
  return turn.s.tiltSince === null && group.master.sdownSince !== null && !isLeased(turn, group);
}

function countAgreeing(turn: Turn, group: Group): number {
  if (!isDownForUs(turn, group)) return 0;
  let agreeing = 1;
  for (const peer of group.sentinels.values()) {
    if (turn.now - peer.lastAskReplyAt > ASK_PERIOD_MS * 5) peer.saysMasterDown = false;
    if (peer.saysMasterDown) agreeing += 1;
  }
  return agreeing;
}

/** Whether the others are asked at all: about a master that is down for us, or for their vote. */
function hasQuestion(group: Group): boolean {
  return group.master.sdownSince !== null || group.failover?.phase === 'wait-start';
}

/** Asks the other Sentinels whether the master is down for them and, when we stand for election, for their vote. */
export function askOthers(turn: Turn, group: Group, now: 'forced' | 'when due'): void {
  if (!hasQuestion(group)) return;
  for (const peer of group.sentinels.values()) {
    if (now === 'forced' || turn.now >= askDueAt(peer)) ask(turn, peer);
  }
}

/** When a peer is asked next: soon after SDOWN, then ever more seldom, once a second in the end. */
export function askDueAt(peer: SentinelPeer): number {
  const { group } = peer;
  if (!hasQuestion(group) || peer.link.command.phase !== 'up') return Number.POSITIVE_INFINITY;
  const since = Math.max(group.failover?.since ?? NEVER, group.master.sdownSince ?? NEVER);
  const elapsed = peer.lastAskAt - since;
  if (elapsed < 0) return NEVER;
  return peer.lastAskAt + Math.min(ASK_PERIOD_MS, Math.max(FIRST_ASK_REPEAT_MS, elapsed));
}

function ask(turn: Turn, peer: SentinelPeer): void {
  const { group, link } = peer;
  const { failover } = group;
  const { address } = group.master.link;
  const standing = failover?.phase === 'wait-start';
  const epoch = standing ? failover.epoch : null;
  const sent = turn.send(link, { kind: 'ask', master: group.name, peer: peer.runId, epoch }, [
    'SENTINEL',
    'is-master-down-by-addr',
    shownHost(turn.s, address),
    String(address.port),
    String(epoch ?? turn.s.currentEpoch),
    standing ? turn.s.myId : '*',
  ]);
  if (sent) peer.lastAskAt = turn.now;
}

/** The reply to is-master-down-by-addr: `[down, leader or "*", leader epoch]`; `askedIn` is its tag's epoch. */
export function onAskReply(turn: Turn, peer: SentinelPeer, askedIn: number | null, reply: Reply): void {
  if (!Array.isArray(reply) || reply.length !== 3) return;
  const [down, leader, epoch] = reply as [Reply, Reply, Reply];
  if (typeof down !== 'number' || typeof leader !== 'string' || typeof epoch !== 'number') return;
  peer.lastAskReplyAt = turn.now;
  peer.saysMasterDown = down === 1;
  if (leader !== '*') {
    if (peer.leaderEpoch !== epoch || peer.leader !== leader) {
      turn.log('warning', `${peer.runId} voted for ${leader} ${epoch}`);
    }
    peer.leader = leader;
    peer.leaderEpoch = epoch;
  }
  // Asked for its vote in an epoch, it tells of another or of none: it has gone on to a later one.
  if (askedIn !== null && (leader === '*' || epoch !== askedIn)) {
    peer.refusedEpoch = Math.max(peer.refusedEpoch, askedIn);
  }
  turn.touch(peer.group);
}
