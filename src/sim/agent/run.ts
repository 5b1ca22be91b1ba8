/** One run of whole agents from one seed. */
import { Prng } from '../../base/prng.js';
import { playRun, type RunResult } from '../frame.js';
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
  return playRun({
    seed,
    world,
    nemesis,
    faults: agentFaultNames(plan.faults),
    warmUp_ms: plan.warmUp_ms,
    faulty_ms: plan.faulty_ms,
    look_ms: LOOK_PERIOD_MS,
    steady_ms: STEADY_MS,
    bound_ms: CONVERGENCE_MAX_MS + STEADY_MS,
    disagreement: () => disagreement(world),
    end: (what) => {
      world.quiet = true;
      world.end(what);
    },
  });
}

function describePlan(plan: AgentPlan): string {
  const { mode, hosts, groups, ttl_ms, hangAfter_ms, downAfter_ms, faults } = plan;
  const shown = groups.map(
    ({ name, hosts: on, durability, failback }) =>
      `${name} on ${on.map((i) => 'abcdefgh'[i]).join('')}, ${durability}, failback ${failback.when}`,
  );
  return (
    `${mode === 'pair' ? 'a pair' : `${hosts} hosts`}; ${shown.join('; ')}; leases of ${ttl_ms} ms, hang-after ${hangAfter_ms}, down-after ${downAfter_ms}; ` +
    `faults: ${agentFaultNames(faults).join(' ') || 'none'}`
  );
}
