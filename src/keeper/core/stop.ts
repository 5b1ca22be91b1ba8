/** The agent lets go of its Redis, which stays. */
import { mayBeMaster, pauseWrites } from './fence.js';
import { NOWHERE } from './io.js';
import { mayBeGranted, release } from './lease.js';
import { persistDue } from './memory.js';
import { orderReplicaOf } from './order.js';
import type { Turn } from './turn.js';
import { revokeVip, tellFitness } from './vip.js';

/**
 * The last step. A master that nobody watches must not go on taking writes: it is made a replica of nobody, and the lease
 * goes back. In maintenance nobody is elected meanwhile: there its writes only wait for the next agent. Without a lease it
 * is left alone, as a Sentinel that stops would leave it.
 */
export function stop(turn: Turn): void {
  const { k } = turn;
  const reason = 'the agent stops';
  if (k.settings.mode === 'pair') tellFitness(turn, reason);
  else revokeVip(turn, reason);
  const bound = k.settings.mode === 'pair' || k.settings.ttl_ms !== null;
  if (bound && mayBeMaster(k)) {
    pauseWrites(turn);
    if (!k.paused) orderReplicaOf(turn, NOWHERE, reason);
  }
  persistDue(turn, 'now');
  // After the orders: another may lead as soon as it is back.
  if (mayBeGranted(k, turn.now)) release(turn, reason);
  turn.become('stopped', reason);
}
