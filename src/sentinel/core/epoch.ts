/** The epoch: a number that only grows, shared by all Sentinels. */
import type { Group } from './state.js';
import type { Turn } from './turn.js';

/**
 * Epochs grow by one an election. One that is further ahead than any cluster has ever been is made up, and to follow it
 * could leave no room to count on.
 */
const EPOCH_LEAP_MAX = 2 ** 32;

/** Whether an epoch that a peer tells of can be true. */
export function isCredibleEpoch(turn: Turn, epoch: number): boolean {
  return Number.isSafeInteger(epoch) && epoch >= 0 && epoch <= turn.s.currentEpoch + EPOCH_LEAP_MAX;
}

/** Nobody may act on an older epoch once a newer one was seen. */
export function followEpoch(turn: Turn, epoch: number, group: Group): void {
  if (epoch <= turn.s.currentEpoch) return;
  turn.s.currentEpoch = epoch;
  turn.persist();
  turn.plainEvent('warning', '+new-epoch', String(epoch), group);
}
