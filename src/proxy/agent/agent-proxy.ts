/**
 * The proxy as its agent sees it: a process of its own, so that no burst of traffic delays a heartbeat. It is told where
 * the masters are, again whenever it has been started anew, and says when one does not answer as a master.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { NutcrackerConfig } from '../../config/nutcracker-types.js';
import { Backoff } from '../../redis/backoff.js';
import { type Hold, type Route, RouteTable } from '../follow/routes.js';
import { metricsText } from '../measure/metrics-text.js';
import type { Snapshot } from '../measure/snapshot.js';
import type { Order } from '../workers/messages.js';
import { ProcessLink } from '../workers/process-link.js';

const PROGRAM = fileURLToPath(new URL('./proxy-process.js', import.meta.url));

const START_MS = 10_000;
const ORDER_MS = 10_000;
const SNAPSHOT_MS = 2_000;
const END_MS = 3_000;
const RESTART = { base_ms: 100, max_ms: 5_000, attempts_max: Number.POSITIVE_INFINITY };
/** A process that has served for this long did not fail at its start. */
const SETTLED_MS = 10_000;
/** What requests under way may take when the proxy is stopped. */
const DRAIN_MS = 5_000;

export type ProxyLogLevel = 'error' | 'warn' | 'notice' | 'info';

export interface AgentProxyOptions {
  /** From `fromTanist`. */
  readonly config: NutcrackerConfig;
  /** How many processes share the work; it does not change until the proxy is stopped. */
  readonly workers: number;
  /** Where nutcracker's statistics are served; null for nowhere. */
  readonly stats: { readonly host: string; readonly port: number } | null;
  readonly log: (level: ProxyLogLevel, text: string) => void;
  /**
   * The master of a group does not answer as one (it is gone, refuses as a replica does, …); told at most ten times a
   * second for each group and process, until a master has been verified.
   */
  readonly doubted?: (group: string, reason: string) => void;
  /** The program of the process; the one beside this file, unless a test has it elsewhere. */
  readonly program?: string;
}

/** A log line of the process, with its level in front as sd-daemon(3) has it; a crash writes lines without. */
function logLevelOf(line: string): { readonly level: ProxyLogLevel; readonly text: string } {
  const [, digit, text] = /^<([0-7])>(.*)$/.exec(line) ?? [];
  if (digit === undefined || text === undefined) return { level: 'error', text: line };
  const levels: readonly ProxyLogLevel[] = ['error', 'error', 'error', 'error', 'warn', 'notice'];
  return { level: levels[Number(digit)] ?? 'info', text };
}

export class AgentProxy {
  readonly #options: AgentProxyOptions;
  readonly #routes = new RouteTable();
  readonly #backoff = new Backoff(RESTART, Math.random);
  #config: NutcrackerConfig;
  #stats: AgentProxyOptions['stats'];
  #link: ProcessLink | null = null;
  #startedAt_ms = 0;
  #restart: NodeJS.Timeout | null = null;
  #stopping = false;
  /** Starts and configurations come one after the other, so that none misses a change. */
  #last: Promise<void> = Promise.resolve();

  /** Use {@link startAgentProxy}. */
  constructor(options: AgentProxyOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#stats = options.stats;
  }

  /** Null while there is no process. */
  get pid(): number | null {
    return this.#link?.pid ?? null;
  }

  /** @throws {Error} when it cannot serve; then there is no process. */
  async start(): Promise<void> {
    try {
      await this.#inTurn(() => this.#launch());
    } catch (error) {
      await this.stop(0);
      throw error;
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #launch(): Promise<void> {
    if (this.#stopping) return;
    const child = this.#fork();
    const link = new ProcessLink(child, {
      exited: (ended, how) => this.#ended(ended, how),
      doubted: (group, reason) => this.#options.doubted?.(group, reason),
    });
    this.#link = link;
    this.#startedAt_ms = performance.now();
    await link.started(START_MS);
    await link.order(this.#configuration(), ORDER_MS);
    await link.order({ kind: 'routes', routes: this.#routes.all }, ORDER_MS);
    this.#options.log('notice', `the proxy serves on pid ${link.pid}`);
  }

  #fork(): ChildProcess {
    const child = fork(this.#options.program ?? PROGRAM, [], {
      // What the agent's own node was started with (an inspector's port, a loader) is not the proxy's.
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // A session of its own: what a terminal sends to our group is for us to answer.
      detached: true,
    });
    // A crash of the process, and its log, come line by line.
    const lines = createInterface({ input: child.stderr as Readable });
    lines.on('line', (line) => {
      const { level, text } = logLevelOf(line);
      this.#options.log(level, text);
    });
    return child;
  }

  #configuration(): Order {
    return { kind: 'configure', config: this.#config, workers: this.#options.workers, stats: this.#stats };
  }

  #ended(link: ProcessLink, how: string): void {
    if (this.#link !== link) return;
    this.#link = null;
    if (this.#stopping) return;
    if (performance.now() - this.#startedAt_ms > SETTLED_MS) this.#backoff.reset();
    const wait_ms = Math.round(this.#backoff.next() ?? RESTART.max_ms);
    this.#options.log('error', `the proxy (pid ${link.pid}) has ended: ${how}; it is started again in ${wait_ms} ms`);
    this.#restart = setTimeout(() => {
      this.#restart = null;
      this.#inTurn(() => this.#launch()).catch((error: unknown) => {
        this.#options.log('error', `the proxy cannot serve: ${error instanceof Error ? error.message : String(error)}`);
        this.#link?.kill();
      });
    }, wait_ms);
  }

  /** Where the master of a group is, by the leader record; to be repeated as often as one likes. Older epochs are ignored. */
  route(route: Route): void {
    if (this.#routes.take(route)) this.#send({ kind: 'routes', routes: [route] });
  }

  /**
   * The master of a group is about to step down, as planned: from now on its requests wait for a route to another place,
   * so that none is under way when it does. After `for_ms` the old one is asked again.
   */
  hold(hold: Hold): void {
    this.#send({ kind: 'hold', hold });
  }

  /** A process that does not hear it is started anew, and told then. */
  #send(order: Order): void {
    if (this.#link?.ready !== true) return;
    this.#link.order(order, ORDER_MS).catch((error: unknown) => {
      if (!this.#stopping) this.#options.log('warn', `the proxy was not told (${order.kind}): ${String(error)}`);
    });
  }

  /**
   * Goes over to other pools without dropping a client of those that stay.
   * @throws {Error} (rejects) when a new address cannot be listened on; then nothing has changed.
   */
  configure(config: NutcrackerConfig, stats: AgentProxyOptions['stats'] = this.#stats): Promise<void> {
    return this.#inTurn(async () => {
      const before = { config: this.#config, stats: this.#stats };
      this.#config = config;
      this.#stats = stats;
      try {
        if (this.#link?.ready === true) await this.#link.order(this.#configuration(), ORDER_MS);
      } catch (error) {
        this.#config = before.config;
        this.#stats = before.stats;
        throw error;
      }
    });
  }

  /** What it counts, by pool and server. Null while there is no process that tells. */
  async snapshot(): Promise<Snapshot | null> {
    const { pid } = this;
    if (pid === null) return null;
    return (await this.#link?.order({ kind: 'snapshot' }, SNAPSHOT_MS).catch((): null => null)) ?? null;
  }

  /** The same for Prometheus; empty while there is no process that tells. */
  async metrics(): Promise<string> {
    const snapshot = await this.snapshot();
    return snapshot === null ? '' : metricsText(snapshot);
  }

  /** Takes no new clients, answers those that are there, and ends. Never rejects. */
  async stop(drain_ms = DRAIN_MS): Promise<void> {
    this.#stopping = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    await this.#link?.end(drain_ms, END_MS);
  }
}

/** Starts the proxy of an agent. @throws {Error} (rejects) when it cannot serve, with the reason. */
export async function startAgentProxy(options: AgentProxyOptions): Promise<AgentProxy> {
  const proxy = new AgentProxy(options);
  await proxy.start();
  return proxy;
}
