/** The epoch: a number that only grows, shared by all Sentinels. */
import type { Group } from './state.js';
import type { Turn } from './turn.js';

/** Nobody may act on an older epoch once a newer one was seen. */
export function followEpoch(turn: Turn, epoch: number, group: Group): void {
  if (epoch <= turn.s.currentEpoch) return;
  turn.s.currentEpoch = epoch;
  turn.persist();
  turn.plainEvent('warning', '+new-epoch', String(epoch), group);
}
