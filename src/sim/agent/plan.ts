/** What stands in a run: hosts, groups, settings, faults. All drawn from the seed. */
import type { Prng } from '../../base/prng.js';
import type { ClusterMode, Durability, Failback } from '../../config/tanist/model.js';
import type { RedisOptions } from '../redis/process.js';
import { type AgentFaults, drawFaults, isDisturbing } from './faults.js';

export interface GroupPlan {
  readonly name: string;
  /** Indices of the hosts with a Redis, the first master first. */
  readonly hosts: readonly number[];
  readonly durability: Durability;
  readonly options: RedisOptions;
  readonly failback: Failback;
}

export interface AgentPlan {
  readonly mode: ClusterMode;
  readonly hosts: number;
  readonly groups: readonly GroupPlan[];
  readonly ttl_ms: number;
  readonly hangAfter_ms: number;
  readonly busyLimit_ms: number;
  readonly downAfter_ms: number;
  readonly failoverTimeout_ms: number;
  readonly faults: AgentFaults;
  readonly warmUp_ms: number;
  readonly faulty_ms: number;
  readonly faultGap_ms: number;
  readonly writePeriod_ms: number;
  /** How long a copy of the data takes. */
  readonly save_ms: number;
}

/** Hosts with a Redis, and witnesses. */
const SHAPES: readonly (readonly [number, number])[] = [
  [2, 1],
  [2, 1],
  [3, 0],
  [3, 0],
  [3, 0],
  [3, 2],
  [4, 1],
];

const PAIR_ONE_IN = 8;

export function drawAgentPlan(prng: Prng): AgentPlan {
  const mode: ClusterMode = prng.below(PAIR_ONE_IN) === 0 ? 'pair' : 'quorum';
  const durability: Durability = mode === 'quorum' && prng.chance(0.5) ? 'replicated' : 'async';
  const faults = drawFaults(prng, mode, durability);
  const [data, witnesses] = drawShape(prng, mode, faults);
  const groups: GroupPlan[] = [];
  const count = mode === 'pair' ? 1 : prng.pick([1, 1, 1, 1, 2]);
  for (let number = 0; number < count; number++) {
    const first = prng.below(data);
    groups.push({
      name: `g${number + 1}`,
      hosts: Array.from({ length: data }, (_, index) => (first + index) % data),
      durability,
      options: drawRedis(prng),
      failback: prng.chance(0.3) ? { when: 'after', wait_ms: prng.pick([1_000, 3_000]) } : { when: 'never' },
    });
  }
  return {
    mode,
    hosts: data + witnesses,
    groups,
    ttl_ms: prng.pick(faults.leaseEdge ? [1_000, 2_000, 2_000] : [300, 1_000, 1_000, 2_000]),
    hangAfter_ms: prng.pick([300, 1_000, 1_000]),
    busyLimit_ms: prng.pick([1_000, 15_000]),
    downAfter_ms: prng.pick([1_000, 1_000, 3_000]),
    failoverTimeout_ms: prng.pick([5_000, 10_000]),
    faults,
    warmUp_ms: isDisturbing(faults) && prng.chance(0.2) ? prng.between(100, 1_500) : prng.between(2_500, 4_000),
    faulty_ms: prng.between(4, 12) * 1_000,
    faultGap_ms: prng.pick([600, 1_500, 3_000]),
    writePeriod_ms: prng.pick([60, 150, 500]),
    save_ms: prng.pick([5, 50, 800]),
  };
}

function drawShape(prng: Prng, mode: ClusterMode, faults: AgentFaults): readonly [number, number] {
  if (mode === 'pair') return [2, 0];
  // Of two replicas at least one may lag behind the other.
  return prng.pick(faults.laggingElected ? SHAPES.filter(([data]) => data > 2) : SHAPES);
}

function drawRedis(prng: Prng): RedisOptions {
  return {
    priority: 100,
    failoverCommand: true,
    pauseCommand: true,
    // It is configured through its standard input.
    rewrites: false,
    keepsData: true,
    masterDownReply: false,
    load_ms: prng.pick([5, 50, 500, 2_000]),
    snapshot_ms: prng.pick([5, 50, 500]),
  };
}
