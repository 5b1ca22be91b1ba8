/** Counters of one instance, all since it was made; names and meaning follow RFC 6527's counters. */
import type { PacketFault } from '../packet/packet.js';
import type { Refusal } from './receive.js';

export interface Stats {
  becameMaster: number;
  releasedMaster: number;
  advertsSent: number;
  advertsReceived: number;
  priorityZeroSent: number;
  priorityZeroReceived: number;
  sendErrors: number;
  addressConflicts: number;
  addressesRestored: number;
  /** Dropped packets by cause. */
  readonly dropped: { [cause in Refusal['code'] | PacketFault]?: number };
}

export function newStats(): Stats {
  return {
    becameMaster: 0,
    releasedMaster: 0,
    advertsSent: 0,
    advertsReceived: 0,
    priorityZeroSent: 0,
    priorityZeroReceived: 0,
    sendErrors: 0,
    addressConflicts: 0,
    addressesRestored: 0,
    dropped: {},
  };
}
