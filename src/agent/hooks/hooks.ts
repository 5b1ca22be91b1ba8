/**
 * The hooks of tanist.yml: looks at what this host knows, and runs each hook for what has changed since it last ran.
 * A hook's runs follow one another, and a slow one is never overtaken, nor does it hold up another hook.
 */
import { Prng } from '../../base/prng.js';
import type { HookConfig } from '../../config/tanist/model.js';
import type { Log } from '../../observe/log.js';
import type { AgentControl } from '../view.js';
import { fingerprint, type HookLevel, hookEnvironment, isResting, levelsOf } from './levels.pure.js';
import { postOnce } from './post-webhook.js';
import { type HookResult, runProgramOnce } from './run-program.js';
import { HookSchedule, type RetryRules, type Run } from './schedule.pure.js';

/** Not everything that changes a level is an event. */
const LOOK_PERIOD_MS = 1_000;
export const retryRules: RetryRules = { attemptsMax: 5, pause_ms: 250, pauseMax_ms: 10_000 };

/** What a hook has done since the start; for the metrics. */
export interface HookCounts {
  readonly hook: string;
  readonly ok: number;
  readonly failed: number;
  readonly timedOut: number;
  /** Levels that it was not told although every attempt was made. */
  readonly gaveUp: number;
  /** Levels that a newer one replaced before their turn. */
  readonly coalesced: number;
  readonly waiting: number;
}

/** A hook did not take a level: for the history. */
export interface HookFailure {
  readonly hook: string;
  readonly level: HookLevel;
  readonly text: string;
}

export interface HooksOptions {
  readonly hooks: readonly HookConfig[];
  readonly control: Pick<AgentControl, 'local' | 'subscribe'>;
  readonly log: Pick<Log, 'write'>;
  /** Called when every attempt has failed. */
  readonly failed: (failure: HookFailure) => void;
  readonly seed: number;
  readonly rules?: RetryRules;
}

export class Hooks {
  readonly #lanes: readonly Lane[];
  readonly #control: HooksOptions['control'];
  readonly #unsubscribe: () => void;
  readonly #timer: NodeJS.Timeout;
  #soon: NodeJS.Immediate | null = null;

  constructor(options: HooksOptions) {
    this.#control = options.control;
    this.#lanes = options.hooks.map((hook, index) => new Lane(hook, options, new Prng(options.seed + index)));
    this.#unsubscribe = options.control.subscribe(() => this.#lookSoon());
    this.#timer = setInterval(() => this.look(), LOOK_PERIOD_MS);
    this.#timer.unref();
    this.look();
  }

  /** Looks at the levels now, and runs what is due. */
  look(): void {
    if (this.#lanes.length === 0) return;
    const view = this.#control.local();
    for (const lane of this.#lanes) lane.want(levelsOf(view, lane.events));
  }

  /** An event comes in the middle of something that matters more, and seldom alone. */
  #lookSoon(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = null;
      this.look();
    });
  }

  counts(): HookCounts[] {
    return this.#lanes.map((lane) => lane.counts());
  }

  /** Runs what still waits, repeats nothing, and ends what takes longer. Resolves when nothing runs any more. */
  async stop(deadline_ms: number): Promise<void> {
    this.look();
    this.#unsubscribe();
    clearInterval(this.#timer);
    if (this.#soon !== null) clearImmediate(this.#soon);
    await Promise.all(this.#lanes.map((lane) => lane.stop(deadline_ms)));
  }
}

/** One hook. */
class Lane {
  readonly #hook: HookConfig;
  readonly #options: HooksOptions;
  readonly #schedule: HookSchedule<HookLevel>;
  readonly #ending = new AbortController();
  readonly #told = new Set<string>();
  readonly #counts = { ok: 0, failed: 0, timedOut: 0, gaveUp: 0 };
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | null = null;

  constructor(hook: HookConfig, options: HooksOptions, prng: Prng) {
    this.#hook = hook;
    this.#options = options;
    this.#schedule = new HookSchedule(options.rules ?? retryRules, prng);
  }

  get events(): HookConfig['on'] {
    return this.#hook.on;
  }

  counts(): HookCounts {
    const { coalesced, waiting } = this.#schedule;
    return { hook: this.#hook.name, ...this.#counts, coalesced, waiting };
  }

  want(levels: readonly HookLevel[]): void {
    for (const level of levels) {
      const key = `${level.group}/${level.event}`;
      if (!this.#told.has(key) && isResting(level)) continue;
      this.#told.add(key);
      this.#schedule.want(key, fingerprint(level), level, performance.now());
    }
    this.#advance();
  }

  async stop(deadline_ms: number): Promise<void> {
    this.#schedule.close();
    const end = setTimeout(() => this.#ending.abort(), deadline_ms);
    this.#advance();
    while (this.#running !== null) await this.#running;
    clearTimeout(end);
    clearTimeout(this.#timer);
  }

  #advance(): void {
    clearTimeout(this.#timer);
    if (this.#ending.signal.aborted) return;
    const now = performance.now();
    const run = this.#schedule.next(now);
    if (run !== null) {
      this.#running = this.#runOnce(run).then(() => {
        this.#running = null;
        this.#advance();
      });
      return;
    }
    const due = this.#schedule.nextDue();
    if (due !== null) this.#timer = setTimeout(() => this.#advance(), Math.max(1, due - now));
  }

  async #runOnce(run: Run<HookLevel>): Promise<void> {
    const result = await this.#perform(run.value);
    const after = this.#schedule.finished(result.ok, performance.now());
    const { event, group, level } = run.value;
    const what = `hook ${this.#hook.name} (${event} of ${group}: ${level})`;
    const output = result.output === '' ? '' : `; it said: ${result.output}`;
    if (result.ok) {
      this.#counts.ok += 1;
      this.#options.log.write('verbose', `${what} has run${output}`);
      return;
    }
    this.#counts[result.timedOut ? 'timedOut' : 'failed'] += 1;
    const then = after === 'again' ? '; it will be repeated' : '';
    this.#options.log.write('warning', `${what} failed at attempt ${run.attempt}: ${result.why}${then}${output}`);
    if (after !== 'gave-up') return;
    this.#counts.gaveUp += 1;
    const text = `hook ${this.#hook.name} was not told ${event} ${level} in ${run.attempt} attempts: ${result.why}`;
    this.#options.failed({ hook: this.#hook.name, level: run.value, text });
  }

  #perform(level: HookLevel): Promise<HookResult> {
    const { action, timeout_ms } = this.#hook;
    const { signal } = this.#ending;
    const json = `${JSON.stringify(level)}\n`;
    switch (action.kind) {
      case 'run': {
        const command = [...action.command, level.event, level.group, level.level];
        return runProgramOnce({ command, env: hookEnvironment(level), stdin: json, timeout_ms, signal });
      }
      case 'post':
        return postOnce({ url: action.url, body: json, timeout_ms, signal });
    }
  }
}
