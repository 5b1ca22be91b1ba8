/**
 * Pair mode: two hosts and no quorum. VRRP decides who leads, and there is no lease. What is left to be done by proof: the
 * one that is to lead waits until the other is seen to have let go, and the other lets go at once.
 */
import { placeName } from '../../base/place.js';
import type { Health } from './health.js';
import { newsOf, relate } from './history.js';
import type { Place } from './io.js';
import type { Mandate } from './mandate.js';
import { FOREVER, type Keeper, NEVER, type SiblingNews, samePlace } from './state.js';
import { PAIR_TAKEOVER_MS } from './timing.js';
import type { Turn } from './turn.js';
import { whyUnable } from './unable.js';
import { tellFitness } from './vip.js';
import { judgeWilling } from './willing.js';

export function onPair({ k, now }: Turn, state: 'master' | 'backup' | 'fault'): void {
  if (k.pair?.state === state) return;
  k.pair = { state, since: now, clear: null };
  k.recordSince = now;
  k.strayedSince = null;
}

export function pairMandate(turn: Turn): Mandate {
  const { pair, settings } = turn.k;
  const peer = settings.siblings[0] ?? null;
  if (pair === null) return { leader: 'unknown', reason: 'VRRP has not decided yet' };
  if (pair.state !== 'master') {
    const reason = `VRRP is in state ${pair.state} here`;
    return peer === null ? { leader: 'unknown', reason } : { leader: 'other', place: peer, reason };
  }
  if (peer === null) return { leader: 'us', until: FOREVER, reason: 'VRRP chose this host' };
  pair.clear ??= whyClear(turn, peer, pair.since);
  if (pair.clear !== null) return { leader: 'us', until: FOREVER, reason: `VRRP chose this host, and ${pair.clear}` };
  turn.wantsNews = true;
  turn.watches = true;
  return { leader: 'us', until: NEVER, reason: `VRRP chose this host; ${placeName(peer)} may still lead` };
}

/**
 * Who leads by what VRRP has decided and has come of it: our Redis that leads, or the peer's that VRRP has preferred and that
 * is a master; null while that is under way.
 */
export function pairLeader(k: Keeper): Place | null {
  const { pair, settings, redis } = k;
  if (pair?.state === 'master') return k.state === 'master' ? settings.self : null;
  const [peer] = settings.siblings;
  if (pair?.state !== 'backup' || peer === undefined || redis.info?.role !== 'replica') return null;
  const news = newsOf(k, peer);
  if (news === null || news.at < pair.since) return null;
  return news.alive && news.role === 'master' ? peer : null;
}

/** What shows that the peer does not lead any more, or that there is no more waiting for it; null: nothing yet. */
function whyClear(turn: Turn, peer: Place, since: number): string | null {
  const { k } = turn;
  if (k.redis.info?.role === 'master') return 'its Redis leads already';
  const news = newsOf(k, peer);
  if (news !== null && news.at >= since) {
    if (!news.alive) return `${placeName(peer)} is gone`;
    if (news.role === 'replica' && hasAll(k, news)) return `${placeName(peer)} was demoted`;
  }
  if (linkIsBroken(k, peer, since)) return `its replication link to ${placeName(peer)} is broken`;
  return turn.isDue(Math.max(since, k.awakeSince) + PAIR_TAKEOVER_MS)
    ? `${placeName(peer)} did not let go within ${PAIR_TAKEOVER_MS} ms`
    : null;
}

/** Nothing is on its way any more from a peer that has let go. */
function hasAll({ redis: { info } }: Keeper, news: SiblingNews): boolean {
  return info === null || !info.linkUp || relate(info, news) !== 'behind';
}

/** Tells VRRP whether the Redis here may be chosen. */
export function judgeFitness(turn: Turn, health: Health): void {
  if (turn.k.settings.mode === 'pair') tellFitness(turn, whyUnfit(turn, health));
}

function whyUnfit(turn: Turn, health: Health): string | null {
  const { k, now } = turn;
  if (health.is === 'silent') return k.vipUntil === null ? health.reason : null;
  if (health.is !== 'well') return health.reason;
  // A replica that lags is all there is when its master is gone.
  if (k.state === 'replica' && k.redis.info !== null && k.syncedRunId === k.redis.info.runId) return null;
  const unable = k.redis.info === null ? null : whyUnable(turn, k.redis.info);
  if (unable !== null) return unable;
  const will = judgeWilling(k, now);
  if (will.is === 'wait') {
    turn.wantsNews = true;
    turn.at(will.until);
  }
  return will.is === 'willing' ? null : will.reason;
}

function linkIsBroken({ redis: { info } }: Keeper, peer: Place, since: number): boolean {
  return info !== null && info.askedAt >= since && samePlace(info.follows, peer) && !info.linkUp;
}
