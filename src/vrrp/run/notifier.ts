/**
 * Runs notify scripts: for one instance one after the other, in the order of the events. A script of a past state has
 * some time to come to its end; then it is ended, since the state that waits behind it is the true one.
 */
import type { Command } from '../../config/keepalived/model.js';
import type { CommandRunner } from './commands.js';
import type { Logger } from './logger.js';

export interface NotifyJob {
  readonly command: Command;
  readonly args: readonly string[];
  /** For the log, e.g. `MASTER`. */
  readonly event: string;
  /** Which change of state it belongs to; higher is newer. */
  readonly round: number;
}

export interface NotifyLimits {
  /** How long a script may run. */
  readonly timeout_ms: number;
  /** How long it may go on when a script of a newer state waits. */
  readonly grace_ms: number;
}

/** Beyond this many waiting scripts of one instance the oldest are left out: the latest states are what counts. */
const MAX_WAITING = 16;

export class Notifier {
  readonly #runner: CommandRunner;
  readonly #log: Logger;
  readonly #limits: NotifyLimits;
  readonly #queues = new Map<string, Queue>();

  constructor(runner: CommandRunner, log: Logger, limits: NotifyLimits) {
    this.#runner = runner;
    this.#log = log;
    this.#limits = limits;
  }

  /** Runs `job` when all earlier scripts of queue `name` have ended. */
  enqueue(name: string, job: NotifyJob): void {
    const queue = this.#queues.get(name) ?? new Queue(name, this.#runner, this.#log, this.#limits);
    this.#queues.set(name, queue);
    queue.push(job);
  }

  /** Resolves when nothing waits or runs any more. */
  async idle(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((q) => q.idle()));
  }
}

class Queue {
  readonly #name: string;
  readonly #runner: CommandRunner;
  readonly #log: Logger;
  readonly #limits: NotifyLimits;
  readonly #waiting: NotifyJob[] = [];
  #running: { readonly job: NotifyJob; readonly cut: AbortController } | null = null;
  #grace: NodeJS.Timeout | null = null;
  #work: Promise<void> | null = null;

  constructor(name: string, runner: CommandRunner, log: Logger, limits: NotifyLimits) {
    this.#name = name;
    this.#runner = runner;
    this.#log = log;
    this.#limits = limits;
  }

  push(job: NotifyJob): void {
    this.#waiting.push(job);
    while (this.#waiting.length > MAX_WAITING) {
      const left = this.#waiting.shift();
      this.#log(
        'error',
        this.#name,
        `too many notify scripts wait: left out ${left?.command.argv[0]} for ${left?.event}`,
      );
    }
    this.#hurry();
    this.#work ??= this.#run();
  }

  async idle(): Promise<void> {
    while (this.#work !== null) await this.#work;
  }

  async #run(): Promise<void> {
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) await this.#one(job);
    this.#work = null;
  }

  async #one(job: NotifyJob): Promise<void> {
    const name = job.command.argv.join(' ');
    this.#log('debug', this.#name, `runs ${name} for ${job.event}`);
    const cut = new AbortController();
    this.#running = { job, cut };
    this.#hurry();
    const result = await this.#runner.run(job.command, job.args, this.#limits.timeout_ms, cut.signal);
    this.#running = null;
    if (this.#grace !== null) clearTimeout(this.#grace);
    this.#grace = null;
    if (result.why === 'exit' && result.code === 0) return;
    this.#log('warn', this.#name, `notify script ${name} for ${job.event}: ${result.detail}`);
  }

  /** Starts the grace of the running script when a newer state waits behind it. */
  #hurry(): void {
    const running = this.#running;
    if (running === null || this.#grace !== null || !this.#waiting.some((j) => j.round > running.job.round)) return;
    this.#grace = setTimeout(() => running.cut.abort(), this.#limits.grace_ms);
  }
}
