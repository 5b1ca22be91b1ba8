/** Many runs, and what they came to, in words. Pure: the terminal and the processes are main.ts's. */
import type { RunResult } from './frame.js';
import { runSeed } from './run.js';

export interface Failure {
  readonly seed: number;
  readonly property: string;
  readonly what: string;
}

export interface Summary {
  readonly runs: number;
  readonly failures: readonly Failure[];
  readonly virtual_ms: number;
  readonly events: number;
  readonly elections: number;
  readonly promotions: number;
  readonly acknowledged: number;
  /** How often a limit was met. */
  readonly limits: number;
  /** The longest time from healing to agreement. */
  readonly convergence_ms: number;
}

export const NO_RUNS: Summary = {
  runs: 0,
  failures: [],
  virtual_ms: 0,
  events: 0,
  elections: 0,
  promotions: 0,
  acknowledged: 0,
  limits: 0,
  convergence_ms: 0,
};

/** Adds two summaries up. */
export function add(a: Summary, b: Summary): Summary {
  return {
    runs: a.runs + b.runs,
    failures: [...a.failures, ...b.failures],
    virtual_ms: a.virtual_ms + b.virtual_ms,
    events: a.events + b.events,
    elections: a.elections + b.elections,
    promotions: a.promotions + b.promotions,
    acknowledged: a.acknowledged + b.acknowledged,
    limits: a.limits + b.limits,
    convergence_ms: Math.max(a.convergence_ms, b.convergence_ms),
  };
}

export function summaryOf(result: RunResult): Summary {
  const { seed, violation } = result;
  return {
    runs: 1,
    failures: violation === null ? [] : [{ seed, property: violation.property, what: violation.what }],
    virtual_ms: result.virtual_ms,
    events: result.events,
    ...result.counts,
    convergence_ms: result.convergence_ms,
  };
}

/** Runs one seed: of the Sentinels alone, or of whole agents. */
export type RunOne = (seed: number, recording: boolean) => RunResult;

/** Runs `count` seeds from `from` on; ends at the first failure if `stopAtFailure`. */
export function runBatch(from: number, count: number, stopAtFailure: boolean, run: RunOne = runSeed): Summary {
  let total = NO_RUNS;
  for (let seed = from; seed < from + count; seed++) {
    total = add(total, summaryOf(run(seed, false)));
    if (stopAtFailure && total.failures.length > 0) break;
  }
  return total;
}

/** A summary in a few lines. */
export function describeSummary(summary: Summary): string {
  const { runs, failures, virtual_ms, events, elections, promotions, acknowledged, limits, convergence_ms } = summary;
  const hours = (virtual_ms / 3_600_000).toFixed(1);
  const lines = [
    `${runs} runs, ${failures.length} failed; ${hours} virtual hours, ${events} events, ${elections} elections, ` +
      `${promotions} promotions, ${acknowledged} acknowledged writes, ${limits} limits met; slowest agreement ${(convergence_ms / 1_000).toFixed(1)} s`,
  ];
  const byProperty = new Map<string, number[]>();
  for (const { property, seed } of failures) byProperty.set(property, [...(byProperty.get(property) ?? []), seed]);
  for (const [property, seeds] of byProperty) {
    const shown = seeds.slice(0, 10).join(', ');
    lines.push(`${property}: ${seeds.length} (seeds ${shown}${seeds.length > 10 ? ', …' : ''})`);
  }
  return lines.join('\n');
}

/** One run in words: what was violated, and what led to it. `all` shows the minor lines too. */
export function describeRun(result: RunResult, all: boolean): string {
  const lines = result.transcript.filter(({ level }) => all || level === 1).map(({ text }) => text);
  const { seed, violation } = result;
  const verdict =
    violation === null
      ? `seed ${seed} passed: all agreed ${Math.round(result.convergence_ms)} ms after healing`
      : `seed ${seed} FAILED: ${violation.property}: ${violation.what}`;
  return [...lines, verdict].join('\n');
}
