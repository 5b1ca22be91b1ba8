/** What stands in a run: how many of what, with which settings. All drawn from the seed. */
import type { Prng } from '../base/prng.js';
import { allowsLoss, drawFaults, type Faults } from './faults.js';
import type { LeasePlan } from './keeper-process.js';
import type { RedisOptions } from './redis/process.js';

export interface GroupPlan {
  readonly name: string;
  /** The master first. */
  readonly redises: readonly RedisOptions[];
  readonly quorum: number;
  readonly downAfter_ms: number;
  readonly failoverTimeout_ms: number;
  readonly parallelSyncs: number;
  readonly fastDown: boolean;
  readonly masterRebootDownAfter_ms: number;
}

export interface Plan {
  readonly sentinels: number;
  readonly groups: readonly GroupPlan[];
  /** Each Redis runs on a sentinel's host rather than on its own. */
  readonly shareHosts: boolean;
  /** Keepers hold leases; null: the sentinels stand alone, as in redis-sentinel's world. */
  readonly lease: LeasePlan | null;
  readonly faults: Faults;
  /** How long faults are made, after `warmUp_ms` without any. */
  readonly faulty_ms: number;
  readonly warmUp_ms: number;
  /** Between two faults, on average. */
  readonly faultGap_ms: number;
  readonly writePeriod_ms: number;
}

export const REDIS_DEFAULTS: RedisOptions = {
  priority: 100,
  failoverCommand: true,
  pauseCommand: true,
  rewrites: true,
  keepsData: true,
  masterDownReply: false,
  load_ms: 20,
  snapshot_ms: 20,
};

export const GROUP_DEFAULTS: Omit<GroupPlan, 'name' | 'redises'> = {
  quorum: 2,
  downAfter_ms: 1_000,
  failoverTimeout_ms: 5_000,
  parallelSyncs: 1,
  fastDown: false,
  masterRebootDownAfter_ms: 0,
};

/** Draws a whole run. */
export function drawPlan(prng: Prng): Plan {
  const lease = drawLease(prng);
  const faults = drawFaults(prng, lease);
  const sentinels = prng.pick([3, 3, 3, 3, 2, 4, 5]);
  const downAfter_ms = prng.pick([400, 1_000, 1_000, 2_000, 3_000]);
  const failoverTimeout_ms = prng.pick([2_000, 4_000, 8_000]);
  const groups: GroupPlan[] = [];
  const groupCount = prng.pick([1, 1, 1, 2, 3]);
  for (let number = 1; number <= groupCount; number++) {
    groups.push({
      name: `g${number}`,
      redises: drawRedises(prng, faults),
      quorum: lease !== null || prng.chance(0.7) ? Math.floor(sentinels / 2) + 1 : prng.between(1, sentinels),
      downAfter_ms,
      failoverTimeout_ms,
      parallelSyncs: prng.between(1, 2),
      fastDown: prng.chance(0.4),
      masterRebootDownAfter_ms: prng.pick([0, 0, 1_500]),
    });
  }
  return {
    sentinels,
    groups,
    shareHosts: prng.chance(0.5),
    lease,
    faults,
    faulty_ms: prng.between(6, 20) * 1_000,
    warmUp_ms: prng.between(1_000, 3_000),
    faultGap_ms: prng.pick([700, 1_500, 3_000]),
    writePeriod_ms: prng.pick([40, 150, 500]),
  };
}

function drawLease(prng: Prng): LeasePlan | null {
  if (prng.chance(0.5)) return null;
  return { ttl_ms: prng.pick([300, 1_000, 1_000, 2_000]), ackReplicas: prng.chance(0.5) ? 1 : 0 };
}

/** Without either command a planned failover is as redis-sentinel's, and may lose writes. */
function drawCommands(prng: Prng, faults: Faults): Pick<RedisOptions, 'failoverCommand' | 'pauseCommand'> {
  if (!faults.oldRedis) return { failoverCommand: true, pauseCommand: true };
  const pauseCommand = prng.chance(0.5);
  return { pauseCommand, failoverCommand: !pauseCommand && !allowsLoss(faults) ? true : prng.chance(0.5) };
}

function drawRedises(prng: Prng, faults: Faults): RedisOptions[] {
  const redises: RedisOptions[] = [];
  const replicas = prng.pick([1, 2, 2, 3]);
  for (let index = 0; index <= replicas; index++) {
    redises.push({
      // One replica at least can become the master.
      priority: index > 1 ? prng.pick([100, 100, 100, 50, 0]) : 100,
      ...drawCommands(prng, faults),
      rewrites: !(faults.noConfigRewrite && prng.chance(0.5)),
      keepsData: !(faults.emptyRestart && prng.chance(0.5)),
      masterDownReply: prng.chance(0.2),
      load_ms: prng.pick([5, 50, 500, 3_000]),
      snapshot_ms: prng.pick([5, 50, 1_000]),
    });
  }
  return redises;
}
