/** SENTINEL SIMULATE-FAILURE and DEBUG. */

import { MASTER_CONF_DEFAULTS } from '../../config/sentinel-types.js';
import { ErrorReply, MapReply, OK, type Reply } from '../../redis/reply.js';
import {
  ASK_PERIOD_MS,
  ELECTION_TIMEOUT_MS,
  HELLO_PERIOD_MS,
  INFO_PERIOD_MS,
  MIN_LINK_RECONNECT_MS,
  PING_PERIOD_MS,
  REPLICA_RECONF_TIMEOUT_MS,
  TILT_PERIOD_MS,
  TILT_TRIGGER_MS,
} from '../core/timing.js';
import type { Turn } from '../core/turn.js';
import { parseInteger, quoted } from './arguments.js';

const CRASH_AFTER_ELECTION = 'crash-after-election';
const CRASH_AFTER_PROMOTION = 'crash-after-promotion';

/** `<crash-after-election | crash-after-promotion> …` or `HELP`. What was set before is cleared, as in redis-sentinel. */
export function simulateFailure(turn: Turn, words: readonly string[]): Reply {
  const wanted = words.map((word) => word.toLowerCase());
  const known = [CRASH_AFTER_ELECTION, CRASH_AFTER_PROMOTION, 'help'];
  if (!wanted.every((word) => known.includes(word))) {
    return new ErrorReply('ERR Unknown failure simulation specified');
  }
  turn.s.crashAfterElection = wanted.includes(CRASH_AFTER_ELECTION);
  turn.s.crashAfterPromotion = wanted.includes(CRASH_AFTER_PROMOTION);
  if (wanted.includes('help')) return [CRASH_AFTER_ELECTION, CRASH_AFTER_PROMOTION];
  turn.log('warning', `Failure simulation: this Sentinel will end at ${wanted.join(' and ')}`);
  return OK;
}

/** The times of the protocol by redis-sentinel's names, in milliseconds. */
const TIMES: ReadonlyMap<string, number> = new Map([
  ['INFO-PERIOD', INFO_PERIOD_MS],
  ['PING-PERIOD', PING_PERIOD_MS],
  ['ASK-PERIOD', ASK_PERIOD_MS],
  ['PUBLISH-PERIOD', HELLO_PERIOD_MS],
  ['DEFAULT-DOWN-AFTER', MASTER_CONF_DEFAULTS.downAfter_ms],
  ['DEFAULT-FAILOVER-TIMEOUT', MASTER_CONF_DEFAULTS.failoverTimeout_ms],
  ['TILT-TRIGGER', TILT_TRIGGER_MS],
  ['TILT-PERIOD', TILT_PERIOD_MS],
  ['SLAVE-RECONF-TIMEOUT', REPLICA_RECONF_TIMEOUT_MS],
  ['MIN-LINK-RECONNECT-PERIOD', MIN_LINK_RECONNECT_MS],
  ['ELECTION-TIMEOUT', ELECTION_TIMEOUT_MS],
  // Those of the runner's script queue.
  ['SCRIPT-MAX-RUNTIME', 60_000],
  ['SCRIPT-RETRY-DELAY', 30_000],
]);

/**
 * Shows the times of the protocol. They cannot be changed here: Sentinels of one quorum rely on each other's, and what
 * tests change them for (a quicker failover) ours does by itself. Setting one to the value that it has is accepted.
 */
export function debug(_turn: Turn, pairs: readonly string[]): Reply {
  if (pairs.length === 0) return new MapReply([...TIMES].map(([name, time_ms]) => [name, String(time_ms)]));
  for (let at = 0; at < pairs.length; at += 2) {
    const name = pairs[at] ?? '';
    const value = pairs[at + 1];
    const fixed = TIMES.get(name.toUpperCase());
    if (fixed === undefined || value === undefined) {
      return new ErrorReply(`ERR Unknown option or number of arguments for SENTINEL DEBUG '${quoted(name)}'`);
    }
    const wanted = parseInteger(value, 1, Number.MAX_SAFE_INTEGER);
    if (wanted === null) {
      return new ErrorReply(`ERR Invalid argument '${quoted(value)}' for SENTINEL DEBUG '${quoted(name)}'`);
    }
    if (wanted !== fixed) return new ErrorReply(`ERR SENTINEL DEBUG '${quoted(name)}' is fixed at ${fixed} ms`);
  }
  return OK;
}
