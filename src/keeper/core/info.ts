/** INFO of our Redis: asked for now and then, and often while something is to change. */
import type { Reply } from '../../redis/reply.js';
import { hangsOnOne } from './limits.js';
import { rememberStray } from './memory.js';
import { readOwnInfo } from './own-info.js';
import { vanish } from './process.js';
import type { Keeper } from './state.js';
import { INFO_PERIOD_LONE_MS, INFO_PERIOD_MS, REPLY_MAX_MS, WATCH_MIN_MS } from './timing.js';
import type { Turn } from './turn.js';

export function infoDue(turn: Turn): void {
  const { k, now } = turn;
  const { redis } = k;
  if (!turn.watches) k.watchSince = null;
  else k.watchSince ??= now;
  if (redis.link !== 'up') return;
  // Only one that can be answered is under way, so that it is known to which request a reply belongs.
  if (redis.infoSentAt !== null && !turn.isDue(redis.infoAt + REPLY_MAX_MS)) return;
  // What was asked before an order, a record or a connection says nothing of what came of them.
  const outdated = redis.infoOrders < k.orders || redis.infoAt < k.recordSince;
  if (!outdated && !turn.isDue(redis.infoAt + period_ms(k))) return;
  redis.infoAt = now;
  redis.infoOrders = k.orders;
  redis.infoSentAt = now;
  turn.send('info', 'INFO');
}

/** Right after its cause a change is near: often at first, then ever more seldom. */
function period_ms(k: Keeper): number {
  if (k.watchSince !== null) {
    const elapsed_ms = k.redis.infoAt - k.watchSince;
    return Math.min(INFO_PERIOD_MS, Math.max(WATCH_MIN_MS, elapsed_ms / 4));
  }
  return hangsOnOne(k) ? INFO_PERIOD_LONE_MS : INFO_PERIOD_MS;
}

export function onInfoReply(turn: Turn, reply: Reply): void {
  const { k } = turn;
  const askedAt = k.redis.infoSentAt;
  k.redis.infoSentAt = null;
  if (askedAt === null || typeof reply !== 'string') return;
  const info = readOwnInfo(reply, askedAt, k.redis.infoOrders);
  if (info === null) return;
  const before = k.redis.info;
  if (before !== null && before.runId !== info.runId) {
    turn.log('warning', 'Redis was restarted by somebody else');
    vanish(turn, 'up');
  }
  k.redis.info = info;
  if (info.role === 'master' && k.state !== 'master') rememberStray(turn);
}
