/** Starts the scripts of a queue as processes, without a shell, and kills those that run for too long. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { LogLevel } from '../core/io.js';
import { type JobId, type JobView, type ScriptExit, ScriptQueue, type StartedJob } from './queue.js';

/** What execve(2) failing is taken for; as in redis-sentinel it is not tried again. */
const NOT_STARTED: ScriptExit = { by: 'exit', code: 2 };
/** How much of a script's output is kept for the log. */
const OUTPUT_MAX_chars = 1_024;

export interface SpawnerHooks {
  /** `-script-error` and `-script-timeout`, for the log and for subscribers. */
  event(level: LogLevel, type: string, text: string): void;
  log(level: LogLevel, text: string): void;
  /** Whether scripts' output is wanted in the log at all. */
  readonly wantsOutput: boolean;
}

export class ScriptSpawner {
  readonly #queue: ScriptQueue;
  readonly #processes = new Map<JobId, ChildProcess>();
  readonly #hooks: SpawnerHooks;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(hooks: SpawnerHooks, queue = new ScriptQueue()) {
    this.#hooks = hooks;
    this.#queue = queue;
  }

  get running(): number {
    return this.#queue.running;
  }

  get length(): number {
    return this.#queue.length;
  }

  /** Queues a script; it is started at once if fewer than 16 run. */
  add(path: string, args: readonly string[]): void {
    const dropped = this.#queue.add(path, args, performance.now());
    if (dropped !== null) this.#hooks.log('warning', `Too many scripts are waiting: ${dropped} was dropped unrun`);
    this.#pump();
  }

  view(): JobView[] {
    return this.#queue.view(performance.now());
  }

  /** Starts nothing more. What runs is left alone, as redis-sentinel does. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const child of this.#processes.values()) child.unref();
  }

  #pump(): void {
    if (this.#stopped) return;
    const now = performance.now();
    for (const late of this.#queue.overdue(now)) {
      this.#hooks.event('warning', '-script-timeout', `${late.path} ${late.pid}`);
      killGroup(late.pid);
    }
    for (const job of this.#queue.start(now)) this.#spawn(job);
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const due = this.#queue.nextDeadline();
    if (due === Number.POSITIVE_INFINITY) return;
    const delay_ms = Math.max(1, Math.ceil(due - performance.now()));
    this.#timer = setTimeout(() => this.#pump(), delay_ms);
  }

  #spawn(job: StartedJob): void {
    const stdout = this.#hooks.wantsOutput ? 'pipe' : 'ignore';
    // Event texts carry what other hosts told; a NUL would make spawn throw.
    const args = job.args.map((arg) => arg.replaceAll('\0', ''));
    // In a process group of its own, so that its children can be killed with it.
    const child = spawn(job.path, args, { detached: true, stdio: ['ignore', stdout, stdout] });
    this.#processes.set(job.id, child);
    this.#queue.hasPid(job.id, child.pid ?? 0);
    if (child.pid !== undefined) this.#hooks.event('debug', '+script-child', String(child.pid));
    for (const stream of [child.stdout, child.stderr]) this.#logOutput(job, stream);
    child.once('error', (error) => {
      this.#hooks.log('warning', `The script ${job.path} could not be started: ${error.message}`);
      this.#ended(job, child, NOT_STARTED);
    });
    child.once('exit', (code, signal) => {
      const exit: ScriptExit =
        signal === null ? { by: 'exit', code: code ?? 0 } : { by: 'signal', signal: constants.signals[signal] };
      this.#ended(job, child, exit);
    });
  }

  #logOutput(job: StartedJob, stream: ChildProcess['stdout']): void {
    let kept = 0;
    stream?.setEncoding('utf8').on('data', (text: string) => {
      if (kept < OUTPUT_MAX_chars) this.#hooks.log('debug', `${job.path}: ${text.slice(0, OUTPUT_MAX_chars - kept)}`);
      kept += text.length;
    });
  }

  #ended(job: StartedJob, child: ChildProcess, exit: ScriptExit): void {
    if (this.#processes.get(job.id) !== child) return;
    this.#processes.delete(job.id);
    const [code, signal] = exit.by === 'exit' ? [exit.code, 0] : [0, exit.signal];
    this.#hooks.event('debug', '-script-child', `${child.pid ?? 0} ${code} ${signal}`);
    const verdict = this.#queue.ended(job.id, exit, performance.now());
    if (verdict === 'failed') this.#hooks.event('warning', '-script-error', `${job.path} ${signal} ${code}`);
    this.#pump();
  }
}

function killGroup(pid: number): void {
  if (pid <= 0) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended in this moment.
  }
}
