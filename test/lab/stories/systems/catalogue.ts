/** The systems that the lab knows. */
import type { SystemKind } from '../system.js';
import { keepalivedPair, keepalivedUnicast } from './keepalived-pair.js';
import { keepalivedSentinel, sentinelTrio, sentinelTrioFast } from './sentinel-trio.js';
import { tanistKinds } from './tanist.js';
import { twemproxy } from './twemproxy.js';

export const SYSTEMS: readonly SystemKind[] = [
  keepalivedPair,
  keepalivedUnicast,
  sentinelTrio,
  sentinelTrioFast,
  keepalivedSentinel,
  twemproxy,
  ...tanistKinds,
];
