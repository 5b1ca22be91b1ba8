/**
 * Times in which the keeper itself did not run: its process was stopped, or had no CPU. Nobody listened then, so the silence
 * of others does not count. The lease does: it runs out whoever sleeps.
 */
import { type Keeper, NEVER } from './state.js';
import { LATE_MS, SLEPT_MS } from './timing.js';
import type { Turn } from './turn.js';

/** Before all else in a step: one that comes much later than it was due tells that we did not run until now. */
export function noticeSleep(turn: Turn): void {
  const { k, now } = turn;
  const late_ms = now - k.dueAt;
  if (late_ms <= LATE_MS) return;
  if (k.strayedSince !== null) k.strayedSince += late_ms;
  if (late_ms <= SLEPT_MS) return discount(k, late_ms);
  startAfresh(k, now);
  turn.log('warning', `The keeper did not run for ${Math.round(late_ms)} ms: nobody's silence is counted meanwhile`);
}

/** A delay such as a loaded host has again and again: a silence is shorter by it, but goes on. */
function discount({ redis }: Keeper, late_ms: number): void {
  redis.heardAt += late_ms;
  if (redis.pingSentAt !== null) redis.pingSentAt += late_ms;
  if (redis.busySince !== null) redis.busySince += late_ms;
  if (redis.misconf !== null) redis.misconf.since += late_ms;
}

/** What has come meanwhile is still to be read: Redis is asked anew before it is judged. */
function startAfresh(k: Keeper, now: number): void {
  const { redis } = k;
  k.awakeSince = now;
  if (redis.heardAt > NEVER) redis.heardAt = now;
  if (redis.pingSentAt !== null) redis.pingSentAt = now;
  redis.pingAt = NEVER;
  if (redis.busySince !== null) redis.busySince = now;
  if (redis.misconf !== null) redis.misconf.since = now;
}
