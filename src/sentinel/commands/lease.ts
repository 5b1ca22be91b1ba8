/** SENTINEL LEASE and PAUSE: what Tanist's agents ask of a Sentinel beyond its own protocol. */
import { LEASE_TTL_MAX_MS } from '../../config/sentinel-types.js';
import { ErrorReply, OK, type Reply } from '../../redis/reply.js';
import { askLease, type LeaseAsk, masterLeasedFor_ms, outlivableVote, releaseLease } from '../core/lease.js';
import { addressOf, currentMasterAddress, shownHost } from '../core/names.js';
import type { Group } from '../core/state.js';
import type { Turn } from '../core/turn.js';
import { NO_SUCH_MASTER, NOT_AN_INTEGER, parseInteger, quoted, withMaster } from './arguments.js';

/** What is kept of the reason for a release. */
const REASON_LENGTH_MAX = 200;
const REASON_IS_ONE_WORD = new ErrorReply('ERR The reason is one word for SENTINEL LEASE with ttl 0: quote it');

/**
 * `<group> <host> <port> <epoch> <ttl> [handover] [held <vote>] [term <n>]`: the keeper of the Redis at host:port asks for
 * the lease, or renews it, in the config epoch that it knows. `<group> <host> <port> <epoch> 0 [<reason> [<term>]]` gives
 * back what was granted in that term. The reply, also to a refusal, tells what this Sentinel takes for the master:
 * `granted`, `reason`, `epoch`, `host`, `port`, `paused`, `leased` (for how many milliseconds it has lent the lease to that
 * master) with their values; and `vote`, the epoch of the vote because of which it refuses whoever has no majority without
 * it, else 0.
 */
export function lease(turn: Turn, args: readonly string[]): Reply {
  const [name, host = '', portText = '', epochText = '', ttlText = '', ...words] = args;
  const port = parseInteger(portText, 1, 65_535);
  const epoch = parseInteger(epochText, 0, Number.MAX_SAFE_INTEGER);
  const ttl_ms = parseInteger(ttlText, 0, LEASE_TTL_MAX_MS);
  if (port === null || epoch === null || ttl_ms === null) return NOT_AN_INTEGER;
  return withMaster(turn, name, (group) => {
    const holder = addressOf(turn.s, host, port);
    if (ttl_ms === 0) {
      const [word = '', termText = '', ...more] = words;
      const term = termText === '' ? null : parseInteger(termText, 0, Number.MAX_SAFE_INTEGER);
      if (more.length > 0 || (termText !== '' && term === null)) return REASON_IS_ONE_WORD;
      const reason = (word === '' ? 'no reason told' : word).slice(0, REASON_LENGTH_MAX).replaceAll(/[\r\n]/g, ' ');
      releaseLease(turn, group, { holder, epoch, term }, reason);
      return answer(turn, group, 'given back');
    }
    const options = readOptions(words);
    if (options instanceof ErrorReply) return options;
    return answer(turn, group, askLease(turn, group, { holder, epoch, ttl_ms, ...options }));
  });
}

function readOptions(words: readonly string[]): Pick<LeaseAsk, 'handOver' | 'held' | 'term'> | ErrorReply {
  let handOver = false;
  let held: number | null = null;
  let term: number | null = null;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word.toLowerCase() === 'handover') {
      handOver = true;
    } else if (word.toLowerCase() === 'held') {
      held = parseInteger(words[++at] ?? '', 1, Number.MAX_SAFE_INTEGER);
      if (held === null) return NOT_AN_INTEGER;
    } else if (word.toLowerCase() === 'term') {
      term = parseInteger(words[++at] ?? '', 0, Number.MAX_SAFE_INTEGER);
      if (term === null) return NOT_AN_INTEGER;
    } else {
      return new ErrorReply(`ERR Unknown option '${quoted(word)}' for SENTINEL LEASE: handover, held <vote>, term <n>`);
    }
  }
  return { handOver, held, term };
}

function answer(turn: Turn, group: Group, refusal: string | null): Reply {
  const address = currentMasterAddress(group);
  return [
    ...['granted', refusal === null ? 1 : 0, 'reason', refusal ?? ''],
    ...['epoch', group.configEpoch, 'host', shownHost(turn.s, address), 'port', address.port],
    ...['paused', group.paused ? 1 : 0, 'leased', masterLeasedFor_ms(turn, group)],
    ...['vote', outlivableVote(turn, group) ?? 0],
  ];
}

/** `<group>|* on|off`: maintenance. While it is on, no failover starts by itself; leases go on. */
export function pause(turn: Turn, [name = '', word = '']: readonly string[]): Reply {
  const paused = word.toLowerCase() === 'on';
  if (!paused && word.toLowerCase() !== 'off')
    return new ErrorReply(`ERR Invalid argument '${quoted(word)}' for SENTINEL PAUSE: on or off`);
  const one = turn.s.groups.get(name);
  if (name !== '*' && one === undefined) return NO_SUCH_MASTER;
  for (const group of one === undefined ? turn.s.groups.values() : [one]) {
    if (group.paused === paused) continue;
    group.paused = paused;
    turn.event('warning', paused ? '+pause' : '-pause', group);
    turn.persist();
    turn.touch(group);
  }
  return OK;
}
