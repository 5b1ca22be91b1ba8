/**
 * min-replicas-to-write: Redis's own dead man's handle, for when no agent is left to fence it. With a replica that is well,
 * writes depend on one; without, a leased master goes on alone, unless durability forbids it.
 */
import { ErrorReply, type Reply } from '../../redis/reply.js';
import type { OwnInfo } from './own-info.js';
import type { Keeper } from './state.js';
import { LIMITS_RAISE_MS, MIN_REPLICAS_LAG_S } from './timing.js';
import type { Turn } from './turn.js';

/** Without a lease, and without a promise of durability, Redis's own settings stay as they are. */
function isGoverned({ settings }: Keeper): boolean {
  return settings.durability === 'replicated' || (settings.mode === 'quorum' && settings.ttl_ms !== null);
}

function lagMax_s({ settings }: Keeper): number {
  return Math.max(MIN_REPLICAS_LAG_S, Math.ceil((settings.ttl_ms ?? 0) / 1000));
}

/** Replicas that Redis would count, now and for a moment yet. */
export function countHealthy(k: Keeper, info: OwnInfo): number {
  const limit = lagMax_s(k);
  return info.replicas.filter(({ state, lag_s }) => state === 'online' && lag_s !== null && lag_s < limit).length;
}

/** Whether one replica alone lets the master write: then its loss must be noticed soon. */
export function hangsOnOne(k: Keeper): boolean {
  return (
    k.settings.durability === 'async' &&
    k.limits.minReplicas === 1 &&
    k.redis.info !== null &&
    countHealthy(k, k.redis.info) <= 1
  );
}

/**
 * Sets the limits of a Redis that leads, or is about to.
 * @param holds its writes are held back until a replica is there, or another leads: Redis would refuse them for want of
 * replicas before it looks at the pause
 */
export function setLimits(turn: Turn, info: OwnInfo, holds: boolean): void {
  const { k } = turn;
  if (!isGoverned(k)) return;
  const wanted = wantedMin(turn, info, holds);
  if (wanted === k.limits.minReplicas) return;
  turn.send('limits', 'CONFIG', 'SET', 'min-replicas-max-lag', String(lagMax_s(k)));
  if (!setMin(turn, wanted)) return;
  turn.log('verbose', wanted === 0 ? 'Writes need no attached replica' : 'Writes need an attached replica');
}

/**
 * Lifts the limit from a replica, where it is for masters alone: promoted one day, it would refuse writes until its keeper
 * has seen that no replica is attached to it yet. With durability no write is to be taken without one in any case.
 */
export function liftLimits(turn: Turn): void {
  const { k } = turn;
  const wanted = k.settings.durability === 'replicated' ? 1 : 0;
  if (isGoverned(k) && k.limits.minReplicas !== wanted) setMin(turn, wanted);
}

/** @returns false when nothing could be sent */
function setMin(turn: Turn, wanted: 0 | 1): boolean {
  if (!turn.send('limits', 'CONFIG', 'SET', 'min-replicas-to-write', String(wanted))) return false;
  turn.k.limits.minReplicas = wanted;
  return true;
}

/** Lowered at once; raised only when a replica has been well for a while. */
function wantedMin(turn: Turn, info: OwnInfo, holds: boolean): 0 | 1 {
  const { k, now } = turn;
  if (k.settings.durability === 'replicated') return holds ? 0 : 1;
  if (countHealthy(k, info) === 0) {
    k.limits.wellSince = null;
    return 0;
  }
  k.limits.wellSince ??= now;
  if (k.limits.minReplicas === 1) return 1;
  return turn.isDue(k.limits.wellSince + LIMITS_RAISE_MS) ? 1 : 0;
}

export function onLimitsReply(turn: Turn, reply: Reply): void {
  const { limits } = turn.k;
  if (!(reply instanceof ErrorReply) || limits.refused === reply.message) return;
  limits.refused = reply.message;
  turn.log(
    'warning',
    `Redis refuses min-replicas-*: ${reply.message}. Nothing limits what is lost when its agent dies`,
  );
}
