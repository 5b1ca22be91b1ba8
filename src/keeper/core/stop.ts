/** The agent lets go of its Redis, which stays. */
import { mayBeMaster, pauseWrites, takesNoWrites } from './fence.js';
import { NOWHERE } from './io.js';
import { mayBeGranted, release } from './lease.js';
import { persistDue } from './memory.js';
import { orderReplicaOf } from './order.js';
import { type Keeper, samePlace } from './state.js';
import { STOP_MS } from './timing.js';
import type { Turn } from './turn.js';
import { revokeVip, tellFitness } from './vip.js';

const REASON = 'the agent stops';

/**
 * Whether the role is still changing when the agent is to end: another leads by now, as after a hand-over, and our Redis is to
 * follow it. Then it is made to before the agent goes, if that takes no longer than a moment: until the next agent comes it is
 * one replica more, and perhaps the one without which the new master takes no writes.
 */
export function isChangingOver({ k, now }: Turn): boolean {
  const { record, settings, redis, stopBy, state } = k;
  if (settings.mode === 'pair' || settings.ttl_ms === null || stopBy === null || now >= stopBy) return false;
  if (record === null || samePlace(record.master, settings.self)) return false;
  return redis.link === 'up' && redis.info !== null && state !== 'replica';
}

/**
 * The last steps. A master that nobody watches must not go on taking writes: it is made a replica of nobody, and once it
 * has said so the lease goes back. In maintenance nobody is elected meanwhile: there its writes only wait for the next
 * agent. Without a lease it is left alone, as a Sentinel that stops would leave it.
 */
export function letGo(turn: Turn): void {
  const { k } = turn;
  const stopBy = k.stopBy ?? turn.now;
  if (k.settings.mode === 'pair') tellFitness(turn, REASON);
  else revokeVip(turn, REASON);
  const bound = k.settings.mode === 'pair' || k.settings.ttl_ms !== null;
  if (bound && mayBeMaster(k)) {
    pauseWrites(turn);
    if (!k.paused) orderReplicaOf(turn, NOWHERE, REASON);
  }
  persistDue(turn, 'now');
  if (!owesLease(k, turn.now)) return turn.become('stopped', REASON);
  if (takesNoWrites(k)) {
    release(turn, k.lease.giveBack ?? REASON);
    return turn.become('stopped', REASON);
  }
  if (!turn.isDue(stopBy)) return;
  turn.log('warning', `The lease ends by itself: Redis has not said in ${STOP_MS} ms that it takes no writes`);
  turn.become('stopped', REASON);
}

/** Whether some voter may hold a grant of ours: counted still, or of a record that is over. */
function owesLease(k: Keeper, now: number): boolean {
  return mayBeGranted(k, now) || k.lease.giveBack !== null;
}
