/** One run of Sentinels from one seed. */
import { Prng } from '../base/prng.js';
import { disagreement } from './checkers/convergence.js';
import { namesOf } from './faults.js';
import { playRun, type RunResult } from './frame.js';
import { Nemesis } from './nemesis.js';
import { drawPlan } from './plan.js';
import { World } from './world.js';

/** Convergence is looked at this often, and has to last this long. */
const LOOK_PERIOD_MS = 200;
const STEADY_MS = 1_500;
/** TILT, reconnections and the retries of repair take this much besides the failover-timeouts. */
const CONVERGENCE_MIN_MS = 90_000;
const CONVERGENCE_TIMEOUTS = 6;

/** Runs one seed; equal seeds give equal results, to the letter. */
export function runSeed(seed: number, recording: boolean): RunResult {
  const prng = new Prng(seed);
  const plan = drawPlan(prng);
  const world = new World(plan, prng.uint32(), recording);
  const nemesis = new Nemesis(world, new Prng(prng.uint32()));
  world.note(1, '*', () => describePlan(plan));
  const timeout_ms = Math.max(...plan.groups.map((group) => group.failoverTimeout_ms));
  return playRun({
    seed,
    world,
    nemesis,
    faults: namesOf(plan.faults),
    warmUp_ms: plan.warmUp_ms,
    faulty_ms: plan.faulty_ms,
    look_ms: LOOK_PERIOD_MS,
    steady_ms: STEADY_MS + Math.max(...plan.groups.map((group) => group.downAfter_ms)),
    bound_ms: CONVERGENCE_MIN_MS + CONVERGENCE_TIMEOUTS * timeout_ms,
    disagreement: () =>
      world
        .outcomes()
        .map(disagreement)
        .find((what) => what !== null) ?? null,
    end: (what) => {
      for (const writer of world.writers) writer.stop();
      world.end(what === null);
    },
  });
}

function describePlan(plan: ReturnType<typeof drawPlan>): string {
  const groups = plan.groups.map(
    ({ name, redises, quorum, downAfter_ms, failoverTimeout_ms }) =>
      `${name} (${redises.length} redis, quorum ${quorum}, down-after ${downAfter_ms}, failover-timeout ${failoverTimeout_ms})`,
  );
  const { lease } = plan;
  const leases = lease === null ? '' : `; leases of ${lease.ttl_ms} ms, ack-replicas ${lease.ackReplicas}`;
  return `${plan.sentinels} sentinels; ${groups.join(', ')}${leases}; faults: ${namesOf(plan.faults).join(' ') || 'none'}`;
}
