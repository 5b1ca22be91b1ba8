/** Which replica becomes the master, and for every other one the reason why it does not. */
import { countKeys } from '../../redis/info.js';
import { durabilityLimitation } from './durability.js';
import { follows } from './info.js';
import type { Address } from './io.js';
import { addressOf, sameAddress } from './names.js';
import { type Group, type Halted, isMaster, NEVER, type RedisNode } from './state.js';
import { INFO_PERIOD_MS, PING_PERIOD_MS } from './timing.js';
import { nodeName, type Turn } from './turn.js';

export interface Choice {
  readonly chosen: RedisNode | null;
  /** One sentence a replica, e.g. `10.0.0.2:6379: 40 bytes behind 10.0.0.3:6379`. */
  readonly reasons: readonly string[];
}

/** What a candidate must be besides fit. */
export interface Wanted {
  /** Only what was said since then counts. */
  readonly freshSince: number;
  /** The one that the operator wants, if any. */
  readonly to: Address | null;
  /** It must be proven that its promotion loses no acknowledged write: who was halted for that. Null: it need not be. */
  readonly proof: Halted | null;
  /** The master pauses its writes for it: it must be able to catch up. */
  readonly linked: boolean;
}

/** Chooses by replica-priority, then by replication offset, then by run id; the unfit are left out. */
export function chooseCandidate(turn: Turn, group: Group, wanted: Wanted): Choice {
  const fit: RedisNode[] = [];
  const reasons: string[] = [];
  for (const node of group.replicas.values()) {
    const limit = limitationOf(turn, node, wanted);
    if (limit === null) fit.push(node);
    else reasons.push(`${nodeName(turn.s, node)}: ${limit}`);
  }
  const keys = hasLostItsPlace(group) ? keysByHistory(fit) : null;
  fit.sort(
    (a, b) =>
      Number(isPromotedUnheard(turn, a)) - Number(isPromotedUnheard(turn, b)) || byKeys(keys, a, b) || byFitness(a, b),
  );
  const [chosen, ...others] = fit;
  if (chosen === undefined) return { chosen: null, reasons };
  for (const node of others) reasons.push(`${nodeName(turn.s, node)}: ${whyLess(turn, node, chosen)}`);
  return { chosen, reasons };
}

function limitationOf(turn: Turn, node: RedisNode, { freshSince, to, proof, linked }: Wanted): string | null {
  if (to !== null && !sameAddress(node.link.address, to)) return 'another one was asked for';
  const limit = candidateLimitation(turn, node, freshSince);
  if (limit === null && linked && !node.masterLinkUp) return 'its link to the master is down';
  return limit === null && proof !== null ? durabilityLimitation(turn, node, freshSince, proof) : limit;
}

/** Why a replica cannot become the master, whatever it will tell when it is asked anew; or null. */
export function standingLimitation(turn: Turn, node: RedisNode): string | null {
  const { link } = node;
  if (node.sdownSince !== null) return `down (${node.downReason})`;
  if (link.command.phase !== 'up') return 'not connected';
  if (turn.now - link.lastAvailableAt > PING_PERIOD_MS * 5) return 'has not answered PING for 5 s';
  if (node.priority === 0) return 'replica-priority is 0';
  if (node.role !== 'replica' && !hasTakenOver(turn, node) && !isPromotedUnheard(turn, node)) {
    return 'reports to be a master';
  }
  return null;
}

/** Why a replica cannot become the master now, or null. */
function candidateLimitation(turn: Turn, node: RedisNode, freshSince: number): string | null {
  const { group } = node;
  const master = group.master;
  const standing = standingLimitation(turn, node);
  if (standing !== null) return standing;
  if (node.info.askedAt < freshSince) return 'has not answered INFO since the election';
  const validity = master.sdownSince === null ? INFO_PERIOD_MS * 3 : PING_PERIOD_MS * 5;
  if (turn.now - node.info.at > validity) return 'what it last told is too old';
  const lag = lagLimitation(node) ?? syncLimitation(node);
  if (lag !== null) return lag;
  // A master that says it is a replica takes no writes: nobody falls further behind it, however long its link is down.
  if (node.role === 'master' || master.role === 'replica') return null;
  // Never heard since we started: how long it has been gone cannot be told, and the age of the link says nothing.
  if (group.leaseTtl_ms > 0 && master.info.at <= NEVER) return null;
  const masterDown_ms = master.sdownSince === null ? 0 : turn.now - master.sdownSince;
  const allowed = masterDown_ms + group.downAfter_ms * 10;
  if (node.masterLinkDown_ms > allowed) {
    return `lost its master ${node.masterLinkDown_ms} ms ago, ${Math.round(allowed)} ms are allowed`;
  }
  return null;
}

/**
 * A replica that waits for its first synchronisation has nothing, or the data of another history. Where all are so, as
 * after a power cut that only the master did not survive, one of them is better than nobody.
 */
function syncLimitation(node: RedisNode): string | null {
  const { group } = node;
  if (group.leaseTtl_ms === 0 || knowsHistory(node)) return null;
  if (hasLostItsPlace(group)) {
    const [ours, theirs] = [keysOf(node), keysOf(group.master)];
    return ours < theirs ? `has ${ours} keys, and the master, which has restarted, ${theirs}` : null;
  }
  return [...group.replicas.values()].some(knowsHistory) ? 'has not been in sync with the master' : null;
}

/** Whether it takes part in the history that the master told last, as far as can be known. */
function knowsHistory(node: RedisNode): boolean {
  const { master } = node.group;
  if (node.role !== 'replica' || node.masterLinkUp || master.replId === '') return true;
  return node.replId === master.replId || node.replId2 === master.replId;
}

/**
 * Whether the master says that it is a replica: its keeper has started it anew, and nobody can be in sync with it. Should it
 * have lost its data it does not lead, and who is to lead instead is told by what each holds.
 */
function hasLostItsPlace({ leaseTtl_ms, master }: Group): boolean {
  return leaseTtl_ms > 0 && master.role === 'replica' && master.sdownSince !== null;
}

function keysOf({ info }: RedisNode): number {
  return countKeys(info.text);
}

/** Offsets of different histories cannot be compared: of each history, the most keys that anybody in it has. */
function keysByHistory(nodes: readonly RedisNode[]): ReadonlyMap<string, number> {
  const keys = new Map<string, number>();
  for (const node of nodes) keys.set(node.replId, Math.max(keys.get(node.replId) ?? 0, keysOf(node)));
  return keys;
}

function byKeys(keys: ReadonlyMap<string, number> | null, a: RedisNode, b: RedisNode): number {
  return keys === null ? 0 : (keys.get(b.replId) ?? 0) - (keys.get(a.replId) ?? 0);
}

/** Whether it lags further behind the furthest offset that is known than the operator allows. */
function lagLimitation(node: RedisNode): string | null {
  const { group } = node;
  const allowed = group.candidateLagMax_bytes;
  if (allowed === 0) return null;
  const known = [...group.replicas.values()].map(offsetOf);
  if (group.master.role === 'master') known.push(group.master.masterReplOffset);
  const lag = Math.max(...known) - offsetOf(node);
  return lag > allowed ? `${lag} bytes behind, candidate-lag-max allows ${allowed}` : null;
}

/**
 * Whether the master that we know follows this Redis already: a promotion whose Sentinel died before it could tell, or
 * a restart of both with configuration files from before the last failover. Nobody but this one can be the master then.
 */
function hasTakenOver(turn: Turn, node: RedisNode): boolean {
  return follows(turn, node.group.master, node);
}

/**
 * Whether this is a replica that was promoted by a Sentinel which died before it could tell: it followed the master that
 * we know until that one died, and now reports to be a master itself. It is chosen where there is no other; else nobody
 * would lead before the dead master is back. A former master is none of these: its data may be of another history.
 */
function isPromotedUnheard(turn: Turn, node: RedisNode): boolean {
  const { master } = node.group;
  if (node.role !== 'master' || master.sdownSince === null || node.formerMasterSince !== null) return false;
  return node.masterPort !== 0 && sameAddress(addressOf(turn.s, node.masterHost, node.masterPort), master.link.address);
}

/** How far a Redis is in the replication history. */
function offsetOf(node: RedisNode): number {
  return node.role === 'master' ? node.masterReplOffset : node.replOffset;
}

function byFitness(a: RedisNode, b: RedisNode): number {
  if (a.priority !== b.priority) return a.priority - b.priority;
  if (offsetOf(a) !== offsetOf(b)) return offsetOf(b) - offsetOf(a);
  if (a.runId === b.runId) return 0;
  if (a.runId === '') return 1;
  if (b.runId === '') return -1;
  return a.runId < b.runId ? -1 : 1;
}

function whyLess(turn: Turn, node: RedisNode, chosen: RedisNode): string {
  const winner = nodeName(turn.s, chosen);
  if (isPromotedUnheard(turn, node) && !isPromotedUnheard(turn, chosen)) return 'reports to be a master';
  if (node.priority !== chosen.priority) {
    return `replica-priority ${node.priority}, ${winner} has ${chosen.priority}`;
  }
  const behind = offsetOf(chosen) - offsetOf(node);
  if (behind > 0) return `${behind} bytes behind ${winner}`;
  return `as good as ${winner}, whose run id sorts first`;
}

/** Whether every replica that can answer has told its offset since `freshSince`. */
export function allHaveAnswered(group: Group, freshSince: number): boolean {
  for (const node of group.replicas.values()) {
    if (node.sdownSince === null && node.link.command.phase === 'up' && node.info.askedAt < freshSince) return false;
  }
  return true;
}

/** Whether any replica has told its offset since `freshSince`. */
export function someHaveAnswered(group: Group, freshSince: number): boolean {
  for (const node of group.replicas.values()) if (node.info.askedAt >= freshSince) return true;
  return false;
}

/** Whether a failover that found no candidate might find one now. */
export function hasCandidate(turn: Turn, group: Group): boolean {
  for (const node of group.replicas.values()) {
    if (!isMaster(node) && candidateLimitation(turn, node, NEVER) === null) return true;
  }
  return false;
}
