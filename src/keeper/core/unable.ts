/**
 * A Redis that cannot write to its disk answers, and refuses every write (MISCONF, to PING too). It is alive, yet no use as
 * a master while another could be one.
 */
import { ErrorReply, type Reply } from '../../redis/reply.js';
import { relate } from './history.js';
import type { OwnInfo } from './own-info.js';
import type { SiblingNews } from './state.js';
import type { Turn } from './turn.js';

/** Takes the answer to a PING: whether Redis takes writes. */
export function hearMisconf(turn: Turn, reply: Reply): void {
  const { redis } = turn.k;
  if (!(reply instanceof ErrorReply) || reply.code !== 'MISCONF') {
    if (redis.misconf !== null) turn.log('notice', 'Redis takes writes again');
    redis.misconf = null;
    return;
  }
  if (redis.misconf !== null) return;
  // The first sentence says it; the others tell where to read on.
  const words = reply.message.split('. ', 1).join('');
  redis.misconf = { since: turn.now, words, yielded: false };
  turn.log('warning', `Redis takes no writes: ${words}`);
}

/**
 * Why our Redis is to give its place away, or null. Only to one that could do better; and once it has, it does not want it
 * back while the reason lasts and somebody else lives. Without leases the Sentinels judge by the same answer to PING.
 */
export function whyUnable(turn: Turn, info: OwnInfo): string | null {
  const { k } = turn;
  const { misconf } = k.redis;
  const { mode, ttl_ms, hangAfter_ms } = k.settings;
  if (misconf === null || k.paused || (mode === 'quorum' && ttl_ms === null)) return null;
  if (!turn.isDue(misconf.since + hangAfter_ms)) return null;
  const fit = k.siblings.filter((each) => each.alive && !each.diskFails);
  // Once it leads no more, nobody is linked to it.
  if (!fit.some((each) => misconf.yielded || (each.linkUp && hasHistory(info, each)))) return null;
  misconf.yielded = true;
  return `Redis takes no writes: ${misconf.words}`;
}

function hasHistory(info: OwnInfo, sibling: SiblingNews): boolean {
  return relate(info, sibling) !== 'unrelated';
}
