/** SENTINEL FAILOVER: a failover that an operator asks for. */
import { ErrorReply, OK, type Reply } from '../../redis/reply.js';
import { standingLimitation } from '../core/candidate.js';
import { startFailover } from '../core/failover.js';
import type { Failover, Group } from '../core/state.js';
import { tiltEndsAt } from '../core/tilt.js';
import { nodeName, type Turn } from '../core/turn.js';
import { quoted, withMaster } from './arguments.js';

type Manner = Exclude<Failover['manual'], 'no'>;

/**
 * `<name>`: with the living master's help where it gives it, so that no acknowledged write is lost. `<name>
 * COORDINATED`: only with its help. `<name> FORCE`: without asking it, as redis-sentinel does.
 */
export function failover(turn: Turn, [name, how]: readonly string[]): Reply {
  const manner = mannerOf(how);
  if (manner === null) {
    return new ErrorReply(`ERR Unknown option '${quoted(how ?? '')}' for SENTINEL FAILOVER: COORDINATED or FORCE`);
  }
  return withMaster(turn, name, (group) => begin(turn, group, manner));
}

function mannerOf(how: string | undefined): Manner | null {
  if (how === undefined) return 'planned';
  switch (how.toUpperCase()) {
    case 'COORDINATED':
      return 'coordinated';
    case 'FORCE':
      return 'forced';
    default:
      return null;
  }
}

function begin(turn: Turn, group: Group, manner: Manner): Reply {
  const tilted_ms = tiltEndsAt(turn) - turn.now;
  if (tilted_ms < Number.POSITIVE_INFINITY) {
    const seconds = Math.ceil(tilted_ms / 1_000);
    return new ErrorReply(`ERR This Sentinel is in TILT mode and does not act for ${seconds} s: ask another one`);
  }
  if (group.failover !== null) return new ErrorReply('INPROG Failover already in progress');
  const limitations = candidateLimitations(turn, group);
  if (limitations !== null) return new ErrorReply(`NOGOODSLAVE No suitable replica to promote: ${limitations}`);
  const unable = manner === 'coordinated' ? masterLimitation(turn, group) : null;
  if (unable !== null) {
    return new ErrorReply(`ERR A coordinated failover needs the master, but ${unable}; FORCE goes on without it`);
  }
  turn.log('warning', `A client asked for a failover of ${group.name} (${manner})`);
  startFailover(turn, group, manner);
  return OK;
}

/** Why each replica cannot be promoted; null when one can. Old news does not count: all are asked before the choice. */
function candidateLimitations(turn: Turn, group: Group): string | null {
  if (group.replicas.size === 0) return 'no replica is known';
  const reasons: string[] = [];
  for (const node of group.replicas.values()) {
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
