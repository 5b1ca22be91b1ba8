/** What may go wrong with hosts and agents. Each seed switches some of it on. */
import type { Prng } from '../../base/prng.js';
import type { ClusterMode, Durability } from '../../config/tanist/model.js';

const PROBABILITY = {
  /** kill -9 of an agent, restarted later; its Redis and its router process are other processes. */
  killAgent: 0.5,
  /** An agent is stopped (SIGSTOP), then goes on. */
  freezeAgent: 0.4,
  /** An agent ends as told, and is started again. */
  restartAgent: 0.25,
  killRedis: 0.5,
  killMaster: 0.5,
  /** A Redis that is killed comes back without its data, or with what its last dump held. */
  loseData: 0.4,
  freezeRedis: 0.4,
  /** A Redis does not answer, and burns CPU. */
  busyRedis: 0.25,
  killRouter: 0.2,
  freezeRouter: 0.2,
  /** A host is switched off with all that runs on it. */
  unplugHost: 0.3,
  /** All hosts are. */
  unplugAll: 0.12,
  partition: 0.4,
  /** Two hosts do not hear each other; all others hear both. */
  cutPair: 0.35,
  oneWayCut: 0.3,
  slowNetwork: 0.3,
  slowDisk: 0.2,
  clockDrift: 0.6,
  /** Data cannot be put aside for a while. */
  saveFails: 0.2,
  switchover: 0.5,
  /** An operator's force, in a group without durability. */
  force: 0.15,
  maintenance: 0.2,
  /** What comes together (`strikes.ts`). */
  leaseEdge: 0.15,
  laggingElected: 0.15,
  lateTarget: 0.15,
  flood: 0.1,
  leaderEnds: 0.15,
} as const;

export type AgentFaultName = keyof typeof PROBABILITY;
export type AgentFaults = Readonly<Record<AgentFaultName, boolean>>;

const NAMES = Object.keys(PROBABILITY) as AgentFaultName[];
/** These alone lose no write. */
const PLANNED: readonly AgentFaultName[] = ['switchover', 'clockDrift', 'maintenance', 'lateTarget'];
/** The edge of a lease takes the most tries. */
const STRIKES: readonly AgentFaultName[] = [
  'leaseEdge',
  'leaseEdge',
  'laggingElected',
  'lateTarget',
  'flood',
  'leaderEnds',
];
/** What a pair refuses: VRRP decides there. */
const OF_QUORUM: readonly AgentFaultName[] = [...STRIKES, 'switchover', 'force', 'maintenance'];
const PLANNED_ONLY_ONE_IN = 8;
const STRIKE_ONLY_ONE_IN = 3;

export function drawFaults(prng: Prng, mode: ClusterMode, durability: Durability): AgentFaults {
  const only = mode === 'pair' ? null : drawOnly(prng, durability);
  const faults = Object.fromEntries(
    NAMES.map((name) => [name, only === null ? prng.chance(PROBABILITY[name]) : only.includes(name)]),
  ) as Record<AgentFaultName, boolean>;
  // With durability, what a replica has acknowledged it keeps; and force is what may lose it.
  if (durability === 'replicated') {
    faults.loseData = false;
    faults.force = false;
  }
  if (mode === 'pair') for (const name of OF_QUORUM) faults[name] = false;
  return faults;
}

/** Some seeds have little but one thing, which others would mask. */
function drawOnly(prng: Prng, durability: Durability): readonly AgentFaultName[] | null {
  if (prng.below(PLANNED_ONLY_ONE_IN) === 0) return PLANNED;
  if (prng.below(STRIKE_ONLY_ONE_IN) > 0) return null;
  // Without durability one that lags may be elected: nothing is proven by it.
  return ['clockDrift', prng.pick(STRIKES.filter((name) => durability === 'replicated' || name !== 'laggingElected'))];
}

/** Whether there is anything but planned changes. */
export function isDisturbing(faults: AgentFaults): boolean {
  return NAMES.some((name) => faults[name] && !PLANNED.includes(name));
}

export function agentFaultNames(faults: AgentFaults): AgentFaultName[] {
  return NAMES.filter((name) => faults[name]);
}
