/** Finds the proxies that earlier agents have left in a directory, and starts new ones there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { errorText } from '../../base/error-text.js';
import { isAlive, KILLED_MS, killProcess, type ProcessId, processId, untilGone } from '../../net/process-id.js';
import type { Route } from '../follow/routes.js';
import type { Identity } from '../workers/messages.js';
import type { ProcessLink, ProcessLinkEvents } from '../workers/process-link.js';
import { buildId } from './build-id.js';
import { greet } from './greet.js';
import { livingProxies, preparePlaces } from './places.js';
import type { SocketChannel } from './socket-channel.js';
import { crashLog, openCrashLog, START_MS } from './succession.js';

const PROGRAM = fileURLToPath(new URL('./proxy-process.js', import.meta.url));

const START_LOOK_MS = 5;
/** One that does not say who it is within this time hangs. */
const GREETING_MS = 10_000;
const SUCCESSION_MS = 40_000;
const LAST_WORDS_CHARS = 600;

/** A process that can be spoken to. */
export interface FoundProxy {
  readonly link: ProcessLink;
  readonly channel: SocketChannel;
  /** Started by us, or for us. */
  readonly isNew: boolean;
  /** Why it is not one that could go on; empty when it could. */
  readonly why: string;
  /** The routes that it knows, by group. */
  readonly known: Map<string, Route>;
}

export interface FinderOptions {
  readonly directory: string;
  readonly workers: number;
  readonly program?: string;
  readonly build?: string;
  readonly greeting_ms?: number;
  readonly log: (level: 'warn', text: string) => void;
}

export class ProxyFinder {
  readonly #options: FinderOptions;
  readonly #events: ProcessLinkEvents;
  readonly #program: string;
  #build: string | null;

  /** @throws {Error} when the directory cannot be used */
  constructor(options: FinderOptions, events: ProcessLinkEvents) {
    this.#options = options;
    this.#events = events;
    this.#program = options.program ?? PROGRAM;
    this.#build = options.build ?? null;
    preparePlaces(options.directory);
  }

  /** Those that live: one that can go on as it is, and the others. Who does not answer is ended. */
  async living(): Promise<{ readonly fit: FoundProxy | null; readonly others: readonly FoundProxy[] }> {
    this.#build ??= await buildId(fileURLToPath(new URL('../../', pathToFileURL(this.#program))));
    const found: FoundProxy[] = [];
    for (const id of livingProxies(this.#options.directory)) {
      const one = await this.#greet(id, false).catch((error: unknown) => this.#endHanging(id, error));
      if (one !== null) found.push(one);
    }
    const fit = found.find(({ why }) => why === '') ?? null;
    return { fit, others: found.filter((each) => each !== fit) };
  }

  async #endHanging(id: ProcessId, error: unknown): Promise<null> {
    if (!isAlive(id)) return null;
    const why = errorText(error);
    this.#options.log('warn', `the proxy (pid ${id.pid}) of an earlier agent is ended, since it hangs: ${why}`);
    killProcess(id);
    if (!(await untilGone(id, KILLED_MS))) this.#options.log('warn', `process ${id.pid} does not end`);
    return null;
  }

  async #greet(id: ProcessId, isNew: boolean, child: ChildProcess | null = null): Promise<FoundProxy> {
    const greeting = { events: this.#events, deadline_ms: this.#options.greeting_ms ?? GREETING_MS, child };
    const { link, channel, identity } = await greet(this.#options.directory, id, greeting);
    const known = new Map(identity.routes.map((route) => [route.group, route]));
    return { link, channel, isNew, why: isNew ? '' : this.#whyUnfit(identity), known };
  }

  #whyUnfit({ build, workers }: Identity): string {
    if (build !== this.#build) return 'it is of another build';
    const wanted = this.#options.workers;
    return workers === null || workers === wanted ? '' : `it has ${workers} workers instead of ${wanted}`;
  }

  /** @throws {Error} (rejects) when it does not come up, or its address is taken */
  async startNew(): Promise<FoundProxy> {
    const { directory } = this.#options;
    const output = openCrashLog(directory);
    const child = spawn(process.execPath, [this.#program, directory], {
      stdio: ['ignore', 'ignore', output],
      // A session of its own: what a terminal sends to our group is for us to answer, and it outlives us.
      detached: true,
    });
    closeSync(output);
    const ended = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        reject(new Error(`it has ended: ${signal ?? `exit code ${code}`}${this.#lastWords()}`)),
      );
    });
    ended.catch(() => {});
    const id = child.pid === undefined ? null : processId(child.pid);
    return id === null ? ended : this.#untilUp(id, child, ended);
  }

  /**
   * @param ended of a child of ours: rejects with how it has ended, which says more than that nobody listens there
   * @throws {Error} (rejects) when it does not come up; then it has ended, or is ended
   */
  async #untilUp(
    id: ProcessId,
    child: ChildProcess | null = null,
    ended: Promise<never> | null = null,
  ): Promise<FoundProxy> {
    const until_ms = performance.now() + START_MS;
    for (;;) {
      try {
        return await this.#greet(id, true, child);
      } catch (error) {
        if (!isAlive(id)) {
          await ended;
          throw error;
        }
        if (performance.now() > until_ms) {
          killProcess(id);
          throw new Error(`it has not come up within ${START_MS} ms: ${String(error)}`);
        }
        await sleep(START_LOOK_MS);
      }
    }
  }

  #lastWords(): string {
    try {
      const words = readFileSync(crashLog(this.#options.directory), 'utf8').trim().slice(-LAST_WORDS_CHARS);
      return words === '' ? '' : `: ${words}`;
    } catch {
      return '';
    }
  }

  /**
   * Lets a proxy start the next one and give it its doors.
   * @throws {Error} (rejects) when that does not come up; then the old one serves on
   */
  async succeed(before: FoundProxy): Promise<FoundProxy> {
    const order = { kind: 'succeed', program: this.#program, execPath: process.execPath } as const;
    const { successor } = await before.link.order(order, SUCCESSION_MS);
    const id = successor === undefined ? null : processId(successor);
    if (id === null) throw new Error('the next proxy has ended at once');
    return this.#untilUp(id);
  }
}
