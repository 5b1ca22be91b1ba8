/** `tanist run` on a lab host, as its own process, with its own state. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from '../support/child.js';
import type { Cleanup } from '../support/cleanup.js';
import { requirePeer } from '../support/peers.js';
import { tanistPath } from '../support/tanist.js';
import type { Host } from './host.js';

export interface StartOptions {
  /** What to start it by, e.g. setpriv with its arguments. */
  readonly before?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A host whose agent keeps a Redis on port 6379. */
export class AgentHost {
  readonly host: Host;
  readonly #folder: string;
  readonly #config: string;
  readonly #auth: readonly string[];
  readonly #cleanup: Cleanup;
  #agent: Child | null = null;

  /** @param config tanist.yml; `%` stands for the host's own folder. */
  constructor(host: Host, folder: string, config: string, cleanup: Cleanup, password?: string) {
    this.#cleanup = cleanup;
    this.#auth = password === undefined ? [] : ['--no-auth-warning', '-a', password];
    this.host = host;
    this.#folder = join(folder, host.name);
    mkdirSync(this.#folder, { recursive: true });
    this.#config = join(this.#folder, 'tanist.yml');
    this.configure(config);
  }

  /** Another tanist.yml, for the next start. */
  configure(config: string): void {
    writeFileSync(this.#config, config.replaceAll('%', this.#folder));
  }

  /** The agent that runs, or ran last. @throws {Error} before the first start */
  get agent(): Child {
    if (this.#agent === null) throw new Error(`no agent was started on ${this.host.name}`);
    return this.#agent;
  }

  /** Starts the agent; with it, its Redis, or the one that an earlier agent has left. */
  async start({ before = [], env = {} }: StartOptions = {}): Promise<void> {
    const [program = '', ...args] = [...before, process.execPath, tanistPath, 'run', this.#config];
    this.#agent = this.host.start(program, args, env);
    // A test that is over has no use for a hand-over.
    this.#cleanup.add(() => this.host.killAll9());
    await this.#agent.untilOutput(/Ready: /, { deadline_ms: 60_000 });
  }

  /** A command to a Redis, by redis-cli from this host; its output without the last line's end. @throws {Error} */
  redis(at: string, ...command: string[]): string {
    return this.host.exec(requirePeer('redis-cli').path, '-h', at, '-p', '6379', ...this.#auth, ...command).trim();
  }

  /** `master` or `slave`, or null when the Redis at that address does not answer. */
  role(at: string): string | null {
    try {
      return /role:(\w+)/.exec(this.redis(at, 'INFO', 'replication'))?.[1] ?? null;
    } catch {
      return null;
    }
  }

  /** What `tanist status` says on this host, well or not: its exit code tells which. */
  status(): string {
    const command = [process.execPath, tanistPath, 'status', '-f', this.#config];
    return this.host.exec('sh', '-c', '"$@" || true', 'sh', ...command);
  }

  /** Gives an order to this host's agent by the operator's command. @throws {Error} when it is not carried out */
  order(...order: string[]): string {
    return this.host.exec(process.execPath, tanistPath, ...order, '-f', this.#config);
  }

  /** The pid of this host's Redis. */
  redisPid(): number {
    return Number(/process_id:(\d+)/.exec(this.redis(this.host.address, 'INFO', 'server'))?.[1]);
  }
}
