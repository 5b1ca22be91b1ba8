/**
 * The queue of notification and reconfiguration scripts: what runs, what waits, what is tried again. Pure: the spawner
 * beside it starts and kills processes. Bounds and rules are those of redis-sentinel.
 */
import { assert } from '../../base/assert.js';

export const QUEUE_MAX = 256;
export const RUNNING_MAX = 16;
export const RUN_TIME_MAX_MS = 60_000;
export const ATTEMPTS_MAX = 10;
export const RETRY_DELAY_MS = 30_000;

export type JobId = number;

/** A script with its arguments, to be started now. */
export interface StartedJob {
  readonly id: JobId;
  readonly path: string;
  readonly args: readonly string[];
}

/** How a script's process ended: by itself, or killed by a signal. */
export type ScriptExit =
  | { readonly by: 'exit'; readonly code: number }
  | { readonly by: 'signal'; readonly signal: number };

/** A job as `SENTINEL PENDING-SCRIPTS` shows it. */
export interface JobView {
  readonly argv: readonly string[];
  readonly running: boolean;
  readonly pid: number;
  /** For how long it runs, or how long until it is started; milliseconds. */
  readonly time_ms: number;
  readonly attempts: number;
}

interface Job {
  readonly id: JobId;
  readonly path: string;
  readonly args: readonly string[];
  /** null while it waits. */
  run: { readonly since: number; pid: number; killed: boolean } | null;
  startAt: number;
  attempts: number;
}

/** What a finished attempt came to; `failed` is told to operators. */
export type Verdict = 'done' | 'again' | 'failed';

export class ScriptQueue {
  /** In the order in which they were asked for. */
  readonly #jobs = new Map<JobId, Job>();
  readonly #runTimeMax_ms: number;
  #nextId: JobId = 1;
  #running = 0;

  /** @param runTimeMax_ms other than redis-sentinel's only in tests */
  constructor(runTimeMax_ms = RUN_TIME_MAX_MS) {
    this.#runTimeMax_ms = runTimeMax_ms;
  }

  /** Scripts that run now. */
  get running(): number {
    return this.#running;
  }

  /** Scripts that run or wait. */
  get length(): number {
    return this.#jobs.size;
  }

  /** Queues a script. When the queue is full, the oldest that does not run is dropped for it and returned. */
  add(path: string, args: readonly string[], now: number): string | null {
    const id = this.#nextId++;
    this.#jobs.set(id, { id, path, args, run: null, startAt: now, attempts: 0 });
    if (this.#jobs.size <= QUEUE_MAX) return null;
    for (const job of this.#jobs.values()) {
      if (job.run !== null) continue;
      this.#jobs.delete(job.id);
      return job.path;
    }
    return null;
  }

  /** The scripts whose time has come; they count as running from here on. */
  start(now: number): StartedJob[] {
    const started: StartedJob[] = [];
    for (const job of this.#jobs.values()) {
      if (this.#running >= RUNNING_MAX) break;
      if (job.run !== null || job.startAt > now) continue;
      job.run = { since: now, pid: 0, killed: false };
      job.attempts += 1;
      this.#running += 1;
      started.push({ id: job.id, path: job.path, args: job.args });
    }
    return started;
  }

  /** The process of a started script. */
  hasPid(id: JobId, pid: number): void {
    const run = this.#jobs.get(id)?.run;
    if (run) run.pid = pid;
  }

  /** The scripts that have run for too long and are to be killed; each is told once. */
  overdue(now: number): { id: JobId; path: string; pid: number }[] {
    const late: { id: JobId; path: string; pid: number }[] = [];
    for (const { id, path, run } of this.#jobs.values()) {
      if (run === null || run.killed || now - run.since <= this.#runTimeMax_ms) continue;
      run.killed = true;
      late.push({ id, path, pid: run.pid });
    }
    return late;
  }

  /** A script has ended. Exit code 1 and death by a signal are tried again, later each time. */
  ended(id: JobId, exit: ScriptExit, now: number): Verdict {
    const job = this.#jobs.get(id);
    assert(job !== undefined && job.run !== null, 'only a running script ends');
    this.#running -= 1;
    job.run = null;
    const temporary = exit.by === 'signal' || exit.code === 1;
    if (temporary && job.attempts < ATTEMPTS_MAX) {
      job.startAt = now + RETRY_DELAY_MS * 2 ** (job.attempts - 1);
      return 'again';
    }
    this.#jobs.delete(id);
    return exit.by === 'exit' && exit.code === 0 ? 'done' : 'failed';
  }

  /** When `start` or `overdue` has something to do, unless a script ends before; infinite for never. */
  nextDeadline(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const { run, startAt } of this.#jobs.values()) {
      if (run !== null) due = run.killed ? due : Math.min(due, run.since + this.#runTimeMax_ms + 1);
      else if (this.#running < RUNNING_MAX) due = Math.min(due, startAt);
    }
    return due;
  }

  view(now: number): JobView[] {
    return [...this.#jobs.values()].map(({ path, args, run, startAt, attempts }) => ({
      argv: [path, ...args],
      running: run !== null,
      pid: run?.pid ?? 0,
      time_ms: Math.round(run === null ? Math.max(0, startAt - now) : now - run.since),
      attempts,
    }));
  }
}
