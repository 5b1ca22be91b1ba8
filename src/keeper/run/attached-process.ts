/**
 * The process of a Redis that others start and end. It is only looked at, when it does not answer; whether it is there at
 * all the link tells.
 */
import { portHolder } from '../../net/port-holder.js';
import { readStat } from '../../net/proc.js';
import { isAlive } from '../../net/process-id.js';
import type { Reply } from '../../redis/reply.js';
import type { ProcessLook } from '../core/io.js';
import type { KeptProcess } from './kept-process.js';
import { ProcessWatch } from './process-look.js';
import { type RedisRecord, recordOf } from './redis-record.js';
import { bindAddresses, type Surroundings } from './redis-surroundings.js';

const INFO_ms = 5_000;

export class AttachedProcess implements KeptProcess {
  readonly #options: Surroundings;
  readonly #log: (level: 'warning', text: string) => void;
  readonly #watch = new ProcessWatch();
  #known: RedisRecord | null = null;

  constructor(options: Surroundings, log: (level: 'warning', text: string) => void) {
    this.#options = options;
    this.#log = log;
  }

  get pid(): number | null {
    return this.#known !== null && isAlive(this.#known) ? this.#known.pid : null;
  }

  start(): void {
    this.#log('warning', 'Redis is not started: it is attached, not kept');
  }

  kill(reason: string): void {
    this.#log('warning', `Redis is not ended (${reason}): it is attached, not kept`);
  }

  /** Finds out which process it is: while it answers there is time for it. Asks for INFO only if its port does not tell. */
  async find(ask: (args: readonly string[], deadline_ms: number) => Promise<Reply>): Promise<void> {
    if (this.pid !== null) return;
    this.#known = this.#byPort();
    if (this.#known !== null) return;
    const reply = await ask(['INFO', 'server'], INFO_ms).catch(() => null);
    const pid = Number(/^process_id:(\d+)/m.exec(typeof reply === 'string' ? reply : '')?.[1] ?? 0);
    // In a container it has another number than here: only what looks like a Redis is taken for it.
    if (pid > 0 && /redis|valkey|keydb/.test(readStat(pid)?.name ?? '')) this.#known = this.#recordOf(pid);
  }

  async look(): Promise<ProcessLook> {
    const known = this.#known ?? this.#byPort();
    if (known === null) return { state: 'unknown' };
    return this.#watch.look(known.pid, () => isAlive(known));
  }

  checkNow(): void {
    // The link has told it already.
  }

  answered(): void {
    // Nobody waits for its first answer.
  }

  letGo(): void {
    this.#known = null;
  }

  #byPort(): RedisRecord | null {
    const { settings } = this.#options;
    const pid = portHolder(bindAddresses(this.#options), settings.port)?.pid ?? null;
    return pid === null ? null : this.#recordOf(pid);
  }

  #recordOf(pid: number): RedisRecord | null {
    const { port, directory } = this.#options.settings;
    return recordOf(pid, { port, directory });
  }
}
