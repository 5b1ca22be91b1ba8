/**
 * The proxy as its agent sees it: a process of its own, so that no burst of traffic delays a heartbeat. It is told where
 * the masters are, again whenever it has been started anew, and says when one does not answer as a master.
 *
 * The process outlives the agent, and the next one finds it again (`find-proxy.ts`): of the same build it goes on with its
 * clients; one of another build gives its doors to a new process, and lets its clients go, each when it has been answered.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '../../base/error-text.js';
import type { NutcrackerConfig } from '../../config/nutcracker-types.js';
import { describeHolder, portHolder } from '../../net/port-holder.js';
import { Backoff } from '../../redis/backoff.js';
import { describeEndpoint } from '../../redis/endpoint.js';
import type { AloneSettings } from '../follow/alone.pure.js';
import { type Hold, type Route, RouteTable } from '../follow/routes.js';
import { doorsOf } from '../listener.js';
import { metricsText } from '../measure/metrics-text.js';
import type { Snapshot } from '../measure/snapshot.js';
import { DRAIN_MS, END_MS, type LogLine, type Order } from '../workers/messages.js';
import type { ProcessLink } from '../workers/process-link.js';
import { type FoundProxy, ProxyFinder } from './find-proxy.js';

const ORDER_MS = 30_000;
const SNAPSHOT_MS = 2_000;
const RESTART = { base_ms: 100, max_ms: 5_000, attempts_max: Number.POSITIVE_INFINITY };
/** A process that has served for this long did not fail at its start. */
const SETTLED_MS = 10_000;
/** How soon a client that has connected asks for something. */
const FIRST_REQUEST_MS = 500;
/** After so long our Sentinel has heard what the others know: what the process knows beyond that is of another life. */
const CAUGHT_UP_MS = 10_000;

export type ProxyLogLevel = 'error' | 'warn' | 'notice' | 'info';

export interface AgentProxyOptions {
  /** From `fromTanist`. */
  readonly config: NutcrackerConfig;
  /** How many processes share the work; it does not change until the proxy is stopped. */
  readonly workers: number;
  /** Where nutcracker's statistics are served; null for nowhere. */
  readonly stats: { readonly host: string; readonly port: number } | null;
  /** Where the process is found again; made if it is not there. */
  readonly directory: string;
  /** What the process does while no agent speaks to it, from `aloneSettings`; null for going on as it is. */
  readonly alone: AloneSettings | null;
  readonly log: (level: ProxyLogLevel, text: string) => void;
  /**
   * The master of a group does not answer as one (it is gone, refuses as a replica does, …); told at most ten times a
   * second for each group and process, until a master has been verified.
   */
  readonly doubted?: (group: string, reason: string) => void;
  /** The program of the process; the one beside this file, unless a test has it elsewhere. */
  readonly program?: string;
  /** What the program was built from, unless a test says otherwise. */
  readonly build?: string;
  /** How long a process may take to say who it is; ten seconds, unless a test is in a hurry. */
  readonly greeting_ms?: number;
  /** When what a process knows beyond our Sentinel is taken for another life's; ten seconds, too. */
  readonly caughtUp_ms?: number;
}

const LEVELS: readonly ProxyLogLevel[] = ['error', 'error', 'error', 'error', 'warn', 'notice'];

export class AgentProxy {
  readonly #options: AgentProxyOptions;
  readonly #finder: ProxyFinder;
  readonly #routes = new RouteTable();
  readonly #backoff = new Backoff(RESTART, Math.random);
  readonly #caughtUp_ms: number;
  #config: NutcrackerConfig;
  #stats: AgentProxyOptions['stats'];
  #found: FoundProxy | null = null;
  #startedAt_ms = 0;
  /** Of another build or from another crash, on their way out. */
  readonly #leaving = new Set<FoundProxy>();
  #restart: NodeJS.Timeout | null = null;
  #stopping = false;
  /** Starts and configurations come one after the other, so that none misses a change. */
  #last: Promise<void> = Promise.resolve();

  /** Use {@link startAgentProxy}. @throws {Error} when the directory cannot be used */
  constructor(options: AgentProxyOptions) {
    this.#options = options;
    this.#caughtUp_ms = options.caughtUp_ms ?? CAUGHT_UP_MS;
    this.#config = options.config;
    this.#stats = options.stats;
    this.#finder = new ProxyFinder(options, {
      exited: (link, how) => this.#ended(link, how),
      doubted: (group, reason) => this.#options.doubted?.(group, reason),
      logged: ({ level, line }: LogLine) => this.#options.log(LEVELS[level] ?? 'info', line),
    });
  }

  /** Null while there is no process. */
  get pid(): number | null {
    return this.#found?.link.pid ?? null;
  }

  /**
   * Finds the process again, or starts it.
   * @throws {Error} (rejects) when it cannot serve; then there is none that was not there before
   */
  async start(): Promise<void> {
    try {
      await this.#inTurn(() => this.#launch());
    } catch (error) {
      await this.undo();
      throw error;
    }
  }

  /** Takes the start back: what it has started is ended, what it has found goes on. Never rejects. */
  async undo(): Promise<void> {
    await (this.#found?.isNew === false ? this.letGo() : this.stop(0));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #launch(): Promise<void> {
    if (this.#stopping || this.#found !== null) return;
    const { fit, others } = await this.#finder.living();
    const found = fit ?? (await this.#startNew(others));
    this.#found = found;
    this.#startedAt_ms = performance.now();
    const { link } = found;
    // First, so that the first request need not wait; and what the one before knew, the next one knows.
    const inherited = others.flatMap(({ known }) => [...known.values()]);
    for (const route of inherited) if (!found.known.has(route.group)) found.known.set(route.group, route);
    await link.order({ kind: 'routes', routes: [...inherited, ...this.#routes.all] }, ORDER_MS);
    await link.order(this.#configuration(), ORDER_MS).catch((error: unknown) => this.#explain(error, others));
    for (const other of others) void this.#dismiss(other);
    this.#options.log('notice', `the proxy ${found.isNew ? 'serves on' : 'goes on as it was,'} pid ${link.pid}`);
  }

  /** @throws {Error} the same, with who is in the way and what to do about it */
  #explain(error: unknown, others: readonly FoundProxy[]): never {
    const message = errorText(error);
    if (!message.includes('EADDRINUSE')) throw error;
    const ours = [this.#found, ...this.#leaving, ...others].map((each) => each?.link.pid);
    for (const { address } of this.#config.pools.flatMap(doorsOf)) {
      const holder = address.kind === 'tcp' ? portHolder([address.host], address.port) : null;
      if (address.kind !== 'tcp' || holder === null || ours.includes(holder.pid ?? 0)) continue;
      const where = describeEndpoint(address);
      const fix = holder.pid === null ? 'end it' : `end it (kill ${holder.pid})`;
      throw new Error(
        `${message}: ${where} is held by ${describeHolder(holder)}: ${fix}, or choose another \`listen\``,
      );
    }
    throw error;
  }

  /** Another, which takes the place of those that are there. */
  async #startNew(others: readonly FoundProxy[]): Promise<FoundProxy> {
    const [before] = others;
    if (before === undefined) return this.#finder.startNew();
    this.#options.log('notice', `the proxy (pid ${before.link.pid}) is replaced: ${before.why}`);
    try {
      return await this.#finder.succeed(before);
    } catch (error) {
      this.#options.log('warn', `the doors are closed for a moment, since they cannot be passed on: ${String(error)}`);
    }
    // Ready before the doors close, so that it only has to open them.
    const next = await this.#finder.startNew();
    await before.link.order({ kind: 'close-doors' }, ORDER_MS).catch(() => before.link.kill());
    return next;
  }

  /** Its clients are let go, each when it has been answered; who came last must have had time to ask. Never rejects. */
  async #dismiss(other: FoundProxy): Promise<void> {
    const { link } = other;
    this.#leaving.add(other);
    await link.order({ kind: 'close-doors' }, ORDER_MS).catch(() => {});
    await sleep(FIRST_REQUEST_MS, undefined, { ref: false });
    if (!this.#stopping) await link.end(DRAIN_MS, END_MS);
    this.#leaving.delete(other);
  }

  #configuration(): Order {
    const { workers, alone } = this.#options;
    return { kind: 'configure', config: this.#config, workers, stats: this.#stats, alone };
  }

  /** By its connection, not its pid: of several to one process, only the last is in use. */
  #ended(link: ProcessLink, how: string): void {
    if (this.#found?.link !== link) return;
    this.#found = null;
    if (performance.now() - this.#startedAt_ms > SETTLED_MS) this.#backoff.reset();
    this.#restartSoon(`the proxy (pid ${link.pid}) has ended: ${how}`);
  }

  /** What a restart has left half done is ended, or, when we end ourselves, left to `stop` and `letGo`. */
  #failed(error: unknown): void {
    this.#found?.link.kill();
    if (!this.#stopping) this.#found = null;
    this.#restartSoon(`the proxy cannot serve: ${errorText(error)}`);
  }

  #restartSoon(why: string): void {
    if (this.#stopping || this.#restart !== null) return;
    const wait_ms = Math.round(this.#backoff.next() ?? RESTART.max_ms);
    this.#options.log('error', `${why}; it is started again in ${wait_ms} ms`);
    this.#restart = setTimeout(() => {
      this.#restart = null;
      this.#inTurn(() => this.#launch()).catch((failure: unknown) => this.#failed(failure));
    }, wait_ms);
  }

  /** Where the master of a group is, by the leader record; to be repeated as often as one likes. Older epochs are ignored. */
  route(route: Route): void {
    if (!this.#routes.take(route)) return;
    const routes = [this.#isOfAnotherLife(route) ? { ...route, anew: true } : route];
    this.#send({ kind: 'routes', routes });
  }

  /** A cluster that was set up anew counts its epochs from the beginning; a process that outlived that must not go by the old ones. */
  #isOfAnotherLife({ group, epoch }: Route): boolean {
    const known = this.#found?.known.get(group) ?? null;
    if (known === null || performance.now() - this.#startedAt_ms < this.#caughtUp_ms) return false;
    this.#found?.known.delete(group);
    return epoch < known.epoch;
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
    const link = this.#found?.link;
    if (link?.ready !== true) return;
    link.order(order, ORDER_MS).catch((error: unknown) => {
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
        if (this.#found?.link.ready === true) await this.#found.link.order(this.#configuration(), ORDER_MS);
      } catch (error) {
        this.#config = before.config;
        this.#stats = before.stats;
        throw error;
      }
    });
  }

  /** What it counts, by pool and server. Null while there is no process that tells. */
  async snapshot(): Promise<Snapshot | null> {
    const result = await this.#found?.link.order({ kind: 'snapshot' }, SNAPSHOT_MS).catch((): null => null);
    return result?.snapshot ?? null;
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
    await this.#last;
    await Promise.all([this.#found, ...this.#leaving].map((each) => end(each, drain_ms)));
  }

  /** Leaves the process as it is, for the next agent. Never rejects. */
  async letGo(): Promise<void> {
    this.#stopping = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    await this.#last;
    for (const { link } of this.#leaving) link.order({ kind: 'stop', drain_ms: DRAIN_MS }, END_MS).catch(() => {});
    await Promise.all([this.#found, ...this.#leaving].map((each) => letGo(each)));
  }
}

async function end(each: FoundProxy | null, drain_ms: number): Promise<void> {
  await each?.link.end(drain_ms, END_MS);
  await each?.channel.died();
}

async function letGo(each: FoundProxy | null): Promise<void> {
  each?.link.forget();
  await each?.channel.letGo();
}

/** Starts the proxy of an agent, or finds it again. @throws {Error} (rejects) when it cannot serve, with the reason. */
export async function startAgentProxy(options: AgentProxyOptions): Promise<AgentProxy> {
  const proxy = new AgentProxy(options);
  await proxy.start();
  return proxy;
}
