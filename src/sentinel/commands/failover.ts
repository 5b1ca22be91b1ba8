/** SENTINEL FAILOVER: a failover that an operator asks for. */
import { ErrorReply, OK, type Reply } from '../../redis/reply.js';
import { standingLimitation } from '../core/candidate.js';
import { startFailover } from '../core/failover.js';
import type { Address } from '../core/io.js';
import { voteLimitation } from '../core/lease.js';
import { addressOf, findAt } from '../core/names.js';
import type { Failover, Group } from '../core/state.js';
import { tiltEndsAt } from '../core/tilt.js';
import { nodeName, type Turn } from '../core/turn.js';
import { parseInteger, quoted, withMaster } from './arguments.js';

type Manner = Exclude<Failover['manual'], 'no'>;

/** What an operator asks for. */
interface Order {
  readonly manner: Manner;
  /** The replica that is to be promoted; null for the best. */
  readonly to: Address | null;
}

/**
 * `<name>`: with the living master's help where it gives it, so that no acknowledged write is lost. `<name>
 * COORDINATED`: only with its help. `<name> FORCE`: without asking it, as redis-sentinel does. `TO <host> <port>` after
 * any of them names the replica.
 */
export function failover(turn: Turn, [name, ...words]: readonly string[]): Reply {
  const order = readOrder(turn, words);
  return order instanceof ErrorReply ? order : withMaster(turn, name, (group) => begin(turn, group, order));
}

function readOrder(turn: Turn, words: readonly string[]): Order | ErrorReply {
  const [first, ...rest] = words;
  const manner = mannerOf(first);
  const [to, host, portText, ...more] = manner === null ? words : rest;
  if (to === undefined) return { manner: manner ?? 'planned', to: null };
  if (to.toUpperCase() !== 'TO' || host === undefined || portText === undefined || more.length > 0) {
    const options = 'COORDINATED or FORCE, TO <host> <port>';
    return new ErrorReply(`ERR Unknown option '${quoted(to)}' for SENTINEL FAILOVER: ${options}`);
  }
  const port = parseInteger(portText, 1, 65_535);
  if (port === null) return new ErrorReply('ERR Invalid port number.');
  return { manner: manner ?? 'planned', to: addressOf(turn.s, host, port) };
}

/** Null for a word that is no manner. */
function mannerOf(how: string | undefined): Manner | null {
  switch (how?.toUpperCase()) {
    case 'COORDINATED':
      return 'coordinated';
    case 'FORCE':
      return 'forced';
    default:
      return null;
  }
}

function begin(turn: Turn, group: Group, { manner, to }: Order): Reply {
  const tilted_ms = tiltEndsAt(turn) - turn.now;
  if (tilted_ms < Number.POSITIVE_INFINITY) {
    const seconds = Math.ceil(tilted_ms / 1_000);
    return new ErrorReply(`ERR This Sentinel is in TILT mode and does not act for ${seconds} s: ask another one`);
  }
  if (group.failover !== null) return new ErrorReply('INPROG Failover already in progress');
  const limitations = candidateLimitations(turn, group, to);
  if (limitations !== null) return new ErrorReply(`NOGOODSLAVE No suitable replica to promote: ${limitations}`);
  const unable = manner === 'coordinated' ? masterLimitation(turn, group) : null;
  if (unable !== null) {
    return new ErrorReply(`ERR A coordinated failover needs the master, but ${unable}; FORCE goes on without it`);
  }
  const leased = voteLimitation(turn, group);
  if (leased !== null) {
    return new ErrorReply(`ERR No failover against the master's lease: ${leased}. Its agent can hand it over`);
  }
  turn.log('warning', `A client asked for a failover of ${group.name} (${manner})`);
  startFailover(turn, group, manner, to);
  return OK;
}

/** Why each replica cannot be promoted; null when one can. Old news does not count: all are asked before the choice. */
function candidateLimitations(turn: Turn, group: Group, to: Address | null): string | null {
  if (group.replicas.size === 0) return 'no replica is known';
  const wanted = to === null ? [...group.replicas.values()] : [findAt(group.replicas.values(), to)];
  const reasons: string[] = [];
  for (const node of wanted) {
    if (node === null) return 'the one that was asked for is no replica of this master';
    const limitation = standingLimitation(turn, node);
    if (limitation === null) return null;
    reasons.push(`${nodeName(turn.s, node)}: ${limitation}`);
  }
  return reasons.join('; ');
}

function masterLimitation(turn: Turn, { master }: Group): string | null {
  if (master.sdownSince !== null) return `it is down (${master.downReason})`;
  if (!turn.canSend(master.link)) return 'it is not connected';
  if (master.role !== 'master') return 'it reports to be a replica';
  return null;
}
