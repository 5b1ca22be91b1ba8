/** What may go wrong in a run. Each seed switches some of it on, so that the rare combinations are met too. */
import type { Prng } from '../base/prng.js';
import type { LeasePlan } from './keeper-process.js';

export interface Faults {
  /** kill -9 of a sentinel, restarted later with what its disk held. */
  readonly crashSentinel: boolean;
  /** A sentinel dies between two effects of a list that writes to disk. */
  readonly crashBetweenEffects: boolean;
  /** A sentinel does not run for less than the TILT trigger. */
  readonly pauseSentinel: boolean;
  /** A sentinel does not run for longer than the TILT trigger. */
  readonly stallSentinel: boolean;
  /** kill -9 of a Redis, restarted later. */
  readonly crashRedis: boolean;
  /** The Redis that is a master is killed. */
  readonly crashMaster: boolean;
  /** A Redis is stopped (SIGSTOP), then goes on. */
  readonly freezeRedis: boolean;
  /** A host disappears with all that runs on it, without a word to its peers. */
  readonly loseHost: boolean;
  /** The hosts are split into two groups. */
  readonly partition: boolean;
  /** Nothing gets from one host to another; the other direction works. */
  readonly oneWayCut: boolean;
  /** The network is slow, and loses packets that have to be sent again. */
  readonly slowNetwork: boolean;
  /** Writes to a sentinel's disk take long. */
  readonly slowDisk: boolean;
  /** Monotonic clocks run up to one per cent too fast or slow. */
  readonly clockDrift: boolean;
  /** A Redis that was killed comes back empty. */
  readonly emptyRestart: boolean;
  /** CONFIG REWRITE fails on some Redis. */
  readonly noConfigRewrite: boolean;
  /** FAILOVER, and sometimes CLIENT PAUSE WRITE, are unknown to some Redis. */
  readonly oldRedis: boolean;
  /** An operator asks for a failover while all the rest goes on. */
  readonly manualFailover: boolean;
  /** kill -9 of a keeper, restarted later. */
  readonly crashKeeper: boolean;
  /** A keeper does not run for a while. */
  readonly freezeKeeper: boolean;
}

export type FaultName = keyof Faults;

/** Nothing goes wrong. */
export const NO_FAULTS: Faults = {
  crashSentinel: false,
  crashBetweenEffects: false,
  pauseSentinel: false,
  stallSentinel: false,
  crashRedis: false,
  crashMaster: false,
  freezeRedis: false,
  loseHost: false,
  partition: false,
  oneWayCut: false,
  slowNetwork: false,
  slowDisk: false,
  clockDrift: false,
  emptyRestart: false,
  noConfigRewrite: false,
  oldRedis: false,
  manualFailover: false,
  crashKeeper: false,
  freezeKeeper: false,
};

/** How often a seed switches each fault on. */
const PROBABILITY: Readonly<Record<FaultName, number>> = {
  crashSentinel: 0.5,
  crashBetweenEffects: 0.4,
  pauseSentinel: 0.3,
  stallSentinel: 0.15,
  crashRedis: 0.4,
  crashMaster: 0.6,
  freezeRedis: 0.4,
  loseHost: 0.25,
  partition: 0.4,
  oneWayCut: 0.3,
  slowNetwork: 0.3,
  slowDisk: 0.25,
  clockDrift: 0.5,
  emptyRestart: 0.3,
  noConfigRewrite: 0.15,
  oldRedis: 0.5,
  manualFailover: 0.3,
  crashKeeper: 0.3,
  freezeKeeper: 0.3,
};

/** One run in so many has nothing but planned failovers: there no acknowledged write may be lost. */
const PLANNED_ONLY_ONE_IN = 10;

/** Draws what goes wrong in one run. */
export function drawFaults(prng: Prng, lease: LeasePlan | null): Faults {
  const faults = drawAny(prng);
  if (lease === null) return { ...faults, crashKeeper: false, freezeKeeper: false };
  // A Redis that comes back empty has lost what it acknowledged: no number of other copies makes up for all of them.
  return lease.ackReplicas > 0 ? { ...faults, emptyRestart: false } : faults;
}

function drawAny(prng: Prng): Faults {
  if (prng.below(PLANNED_ONLY_ONE_IN) === 0) {
    return { ...NO_FAULTS, manualFailover: true, oldRedis: prng.chance(0.5), clockDrift: prng.chance(0.5) };
  }
  const faults = { ...NO_FAULTS };
  for (const name of Object.keys(PROBABILITY) as FaultName[]) faults[name] = prng.chance(PROBABILITY[name]);
  return faults;
}

/** Whether these faults can lose acknowledged writes, replication being asynchronous. */
export function allowsLoss(faults: Faults): boolean {
  return (Object.keys(faults) as FaultName[]).some(
    (name) => faults[name] && name !== 'manualFailover' && name !== 'oldRedis' && name !== 'clockDrift',
  );
}

/** The names of the faults that are on. */
export function namesOf(faults: Faults): FaultName[] {
  return (Object.keys(faults) as FaultName[]).filter((name) => faults[name]);
}
