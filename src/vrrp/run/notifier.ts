/** Runs notify scripts: for one instance one after the other, in the order of the events, each to its end. */
import type { Command } from '../../config/keepalived/model.js';
import type { CommandRunner } from './commands.js';
import type { Logger } from './logger.js';

interface Job {
  readonly command: Command;
  readonly args: readonly string[];
  readonly event: string;
}

/** Beyond this many waiting scripts of one instance the oldest are left out: the latest states are what counts. */
const MAX_WAITING = 16;

export class Notifier {
  readonly #runner: CommandRunner;
  readonly #log: Logger;
  readonly #timeout_ms: number;
  readonly #queues = new Map<string, Job[]>();
  readonly #busy = new Map<string, Promise<void>>();

  constructor(runner: CommandRunner, log: Logger, timeout_ms: number) {
    this.#runner = runner;
    this.#log = log;
    this.#timeout_ms = timeout_ms;
  }

  /** Runs `command` when all earlier scripts of `queue` have ended. */
  enqueue(queue: string, command: Command, args: readonly string[], event: string): void {
    const jobs = this.#queues.get(queue) ?? [];
    this.#queues.set(queue, jobs);
    jobs.push({ command, args, event });
    while (jobs.length > MAX_WAITING) {
      const dropped = jobs.shift();
      this.#log(
        'error',
        queue,
        `too many notify scripts wait: left out ${dropped?.command.argv[0]} for ${dropped?.event}`,
      );
    }
    if (!this.#busy.has(queue)) this.#busy.set(queue, this.#work(queue, jobs));
  }

  /** Resolves when nothing waits or runs any more. */
  async idle(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy.values());
  }

  async #work(queue: string, jobs: Job[]): Promise<void> {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const name = job.command.argv.join(' ');
      this.#log('debug', queue, `runs ${name} for ${job.event}`);
      const result = await this.#runner.run(job.command, job.args, this.#timeout_ms);
      if (result.why !== 'exit' || result.code !== 0) {
        this.#log('warn', queue, `notify script ${name} for ${job.event}: ${result.detail}`);
      }
    }
    this.#busy.delete(queue);
  }
}
