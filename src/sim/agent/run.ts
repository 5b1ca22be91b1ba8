/** One run of whole agents from one seed: install, make faults, heal everything, and wait for all to be well. */
import { Prng } from '../../base/prng.js';
import type { RunResult } from '../run.js';
import { agentFaultNames } from './faults.js';
import { AgentNemesis } from './nemesis.js';
import { disagreement } from './outcome.js';
import { type AgentPlan, drawAgentPlan } from './plan.js';
import { AgentWorld } from './world.js';

const LOOK_PERIOD_MS = 100;
const STEADY_MS = 2_000;
/** TILT alone takes 30 s. */
export const CONVERGENCE_MAX_MS = 60_000;

/** Runs one seed; equal seeds give equal results, to the letter. */
export function runAgentSeed(seed: number, recording: boolean): RunResult {
  const prng = new Prng(seed);
  const plan = drawAgentPlan(prng);
  const world = new AgentWorld(plan, prng.uint32(), recording);
  const nemesis = new AgentNemesis(world, new Prng(prng.uint32()));
  world.note(1, '*', () => describePlan(plan));
  world.start();
  world.run(plan.warmUp_ms);
  nemesis.begin();
  world.run(plan.faulty_ms);
  nemesis.heal();
  const healedAt = world.loop.now;
  let what: string | null = null;
  let wellSince: number | null = null;
  while (world.violation === null && world.loop.now - healedAt < CONVERGENCE_MAX_MS + STEADY_MS) {
    world.run(LOOK_PERIOD_MS);
    what = disagreement(world);
    if (what !== null) {
      if (wellSince !== null) world.note(2, '*', () => `not well any more: ${what}`);
      wellSince = null;
    } else wellSince ??= world.loop.now;
    if (wellSince !== null && world.loop.now - wellSince >= STEADY_MS) break;
  }
  world.quiet = true;
  if (world.violation === null) world.end(what);
  return {
    seed,
    violation: world.violation,
    faults: [],
    virtual_ms: world.loop.now,
    convergence_ms: (wellSince ?? world.loop.now) - healedAt,
    events: world.loop.count,
    counts: world.counts,
    transcript: world.lines,
  };
}

function describePlan(plan: AgentPlan): string {
  const { hosts, groups, ttl_ms, hangAfter_ms, downAfter_ms, faults } = plan;
  const shown = groups.map(
    ({ name, hosts: on, durability }) => `${name} on ${on.map((i) => 'abcdefgh'[i]).join('')}, ${durability}`,
  );
  return (
    `${hosts} hosts; ${shown.join('; ')}; leases of ${ttl_ms} ms, hang-after ${hangAfter_ms}, down-after ${downAfter_ms}; ` +
    `faults: ${agentFaultNames(faults).join(' ') || 'none'}`
  );
}
