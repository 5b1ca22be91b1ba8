/** One run from one seed: warm up, make faults, heal everything, and wait for all to agree. */
import { Prng } from '../base/prng.js';
import { disagreement } from './checkers/convergence.js';
import { type FaultName, namesOf } from './faults.js';
import { Nemesis } from './nemesis.js';
import { drawPlan } from './plan.js';
import { type Line, type Violation, World } from './world.js';

export interface RunResult {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly faults: readonly FaultName[];
  /** How much virtual time it took, and from healing to agreement. */
  readonly virtual_ms: number;
  readonly convergence_ms: number;
  readonly events: number;
  readonly counts: World['counts'];
  /** Empty unless asked for. */
  readonly transcript: readonly Line[];
}

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
  world.start();
  world.run(plan.warmUp_ms);
  nemesis.begin();
  world.run(plan.faulty_ms);
  nemesis.heal();
  const healedAt = world.loop.now;
  const timeout_ms = Math.max(...plan.groups.map((group) => group.failoverTimeout_ms));
  const bound_ms = CONVERGENCE_MIN_MS + CONVERGENCE_TIMEOUTS * timeout_ms;
  const steady_ms = STEADY_MS + Math.max(...plan.groups.map((group) => group.downAfter_ms));
  let agreedSince: number | null = null;
  while (world.violation === null && world.loop.now - healedAt < bound_ms) {
    world.run(LOOK_PERIOD_MS);
    const agreed = world.outcomes().every((group) => disagreement(group) === null);
    agreedSince = agreed ? (agreedSince ?? world.loop.now) : null;
    if (agreedSince !== null && world.loop.now - agreedSince >= steady_ms) break;
  }
  const converged = agreedSince !== null;
  for (const writer of world.writers) writer.stop();
  if (world.violation === null) world.end(converged);
  return {
    seed,
    violation: world.violation,
    faults: namesOf(plan.faults),
    virtual_ms: world.loop.now,
    convergence_ms: (agreedSince ?? world.loop.now) - healedAt,
    events: world.loop.count,
    counts: world.counts,
    transcript: world.lines,
  };
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
