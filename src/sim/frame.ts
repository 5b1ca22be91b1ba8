/** The frame of a run, whatever is simulated: warm up, make faults, heal everything, and wait for all to be well. */
import type { BaseWorld, Line, Violation } from './base-world.js';

export interface RunResult {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly faults: readonly string[];
  /** How much virtual time it took, and from healing to agreement. */
  readonly virtual_ms: number;
  readonly convergence_ms: number;
  readonly events: number;
  readonly counts: BaseWorld['counts'];
  /** Empty unless asked for. */
  readonly transcript: readonly Line[];
}

export interface Run {
  readonly seed: number;
  readonly world: BaseWorld & { start(): void };
  readonly nemesis: { begin(): void; heal(): void };
  readonly faults: readonly string[];
  readonly warmUp_ms: number;
  readonly faulty_ms: number;
  /** After healing: how often is looked, how long it has to stay well, and after how long it counts as never well. */
  readonly look_ms: number;
  readonly steady_ms: number;
  readonly bound_ms: number;
  /** What is not well, or null. */
  disagreement(): string | null;
  /** Told once nothing has been violated until then. @param what is not well at the end, or null */
  end(what: string | null): void;
}

/** Plays it to its end. */
export function playRun(run: Run): RunResult {
  const { seed, world, nemesis, faults } = run;
  const { loop } = world;
  world.start();
  world.run(run.warmUp_ms);
  nemesis.begin();
  world.run(run.faulty_ms);
  nemesis.heal();
  const healedAt = loop.now;
  let what: string | null = null;
  let wellSince: number | null = null;
  while (world.violation === null && loop.now - healedAt < run.bound_ms) {
    world.run(run.look_ms);
    what = run.disagreement();
    if (what !== null && wellSince !== null) world.note(2, '*', () => `not well any more: ${what}`);
    wellSince = what === null ? (wellSince ?? loop.now) : null;
    if (wellSince !== null && loop.now - wellSince >= run.steady_ms) break;
  }
  if (world.violation === null) run.end(what);
  return {
    seed,
    violation: world.violation,
    faults,
    virtual_ms: loop.now,
    convergence_ms: (wellSince ?? loop.now) - healedAt,
    events: loop.count,
    counts: world.counts,
    transcript: world.lines,
  };
}
