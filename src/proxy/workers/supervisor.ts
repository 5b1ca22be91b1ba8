/**
 * Several proxy processes behind the same addresses. This one holds the listening sockets and the workers accept from
 * them, so that no connection and no request waits for it. (Handing connections out in turn was measured: connecting
 * took twice as long, and a burst of clients was shared less evenly.)
 */
import cluster from 'node:cluster';
import type { NutcrackerConfig } from '../../config/nutcracker-types.js';
import { Backoff } from '../../redis/backoff.js';
import type { TellDoubt } from '../follow/route-follower.js';
import { type Hold, type Route, RouteTable } from '../follow/routes.js';
import { InheritedDoors } from '../inherited-doors.js';
import { type DoorHandle, doorsOf, removeStaleSocket } from '../listener.js';
import type { ProxyLog } from '../log.js';
import type { PoolSnapshot, Snapshot } from '../measure/snapshot.js';
import { ChildChannel } from './channel.js';
import type { Order } from './messages.js';
import { WORKER_MARK } from './messages.js';
import type { RunningProxy } from './orders.js';
import { ProcessLink } from './process-link.js';
import { remainsOf, sumOf, withRemains } from './sum.js';

const CONFIGURE_MS = 20_000;
const SNAPSHOT_MS = 1_000;
const STOP_MS = 3_000;
const RESTART = { base_ms: 100, max_ms: 5_000, attempts_max: Number.POSITIVE_INFINITY };
/** A worker that has served for this long did not fail at its start. */
const SETTLED_MS = 10_000;

/** The place of one worker, whatever process fills it. */
interface Place {
  readonly number: number;
  readonly backoff: Backoff;
  link: ProcessLink | null;
  startedAt_ms: number;
  restart: NodeJS.Timeout | null;
}

export interface SupervisorOptions {
  readonly version: string;
  readonly log: ProxyLog;
  readonly workers: number;
  readonly doubted: TellDoubt;
  /** Workers are given them, as many as are wanted. */
  readonly inherited?: InheritedDoors;
}

export class Supervisor implements RunningProxy {
  readonly #options: SupervisorOptions;
  readonly #inherited: InheritedDoors;
  readonly #startedAt_ms = Date.now();
  readonly #places: readonly Place[];
  readonly #routes = new RouteTable();
  #config: NutcrackerConfig | null = null;
  /** What workers that have ended had counted. */
  #remains: PoolSnapshot[] = [];
  /** Workers are configured one after the other, so that none misses a change while it starts. */
  #last: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#inherited = options.inherited ?? new InheritedDoors();
    this.#places = Array.from({ length: options.workers }, (_, number) => ({
      number,
      backoff: new Backoff(RESTART, Math.random),
      link: null,
      startedAt_ms: 0,
      restart: null,
    }));
  }

  /** Starts all workers. @throws {Error} when one cannot listen; then all have ended again. */
  async start(config: NutcrackerConfig): Promise<void> {
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    this.#removeStaleSockets(config);
    this.#config = config;
    this.#inherited.closeAllBut(config.pools.flatMap(doorsOf));
    try {
      await this.#inTurn(async () => {
        for (const place of this.#places) await this.#fill(place);
      });
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Goes over to another configuration. @throws {Error} when the first worker cannot; then nothing has changed. */
  reload(config: NutcrackerConfig): Promise<void> {
    return this.#inTurn(async () => {
      this.#removeStaleSockets(config);
      const links = this.#places.flatMap(({ link }) => (link === null ? [] : [link]));
      const [first, ...rest] = links;
      await first?.order(this.#orderOf(config), CONFIGURE_MS);
      this.#config = config;
      // A worker keeps what it has.
      this.#inherited.closeAllBut(config.pools.flatMap(doorsOf));
      await Promise.all(
        rest.map((link) =>
          link.order(this.#orderOf(config), CONFIGURE_MS).catch((error: unknown) => {
            this.#options.log.error(`worker ${link.pid} is started again: ${String(error)}`);
            link.kill();
          }),
        ),
      );
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  #orderOf(config: NutcrackerConfig): Order {
    return { kind: 'configure', config, workers: this.#options.workers, stats: null, alone: null };
  }

  /** As a worker has them: what it shows are copies, which must not stay open. */
  async lendDoors<T>(use: (doors: ReadonlyMap<string, DoorHandle>) => Promise<T>): Promise<T> {
    const link = this.#places.find((place) => place.link?.ready === true)?.link ?? null;
    const doors = (await link?.showDoors(CONFIGURE_MS)) ?? new Map<string, DoorHandle>();
    try {
      return await use(doors);
    } finally {
      for (const handle of doors.values()) handle.close();
    }
  }

  /** The path of a unix socket may be left over from another run; those that are in use now stay. */
  #removeStaleSockets(config: NutcrackerConfig): void {
    const inUse = new Set(this.#config === null ? [] : pathsOf(this.#config));
    for (const path of pathsOf(config)) if (!inUse.has(path)) removeStaleSocket(path);
  }

  /** Starts a process in this place, and waits until it serves. */
  async #fill(place: Place): Promise<void> {
    const config = this.#config;
    if (config === null || this.#stopping) return;
    const { log } = this.#options;
    const worker = cluster.fork({ [WORKER_MARK]: '1' });
    const channel = new ChildChannel(worker.process);
    const link = new ProcessLink(channel, {
      exited: (ended, how) => this.#ended(place, ended, how),
      doubted: this.#options.doubted,
      logged: ({ level, line }) => log.pass(level, line),
    });
    place.link = link;
    place.startedAt_ms = performance.now();
    await link.started(CONFIGURE_MS);
    await link.order({ kind: 'log-level', level: log.level }, CONFIGURE_MS);
    for (const [door, handle] of this.#inherited.all) await channel.give(door, handle);
    await link.order(this.#orderOf(config), CONFIGURE_MS);
    await link.order({ kind: 'routes', routes: this.#routes.all }, CONFIGURE_MS);
    log.notice(`worker ${place.number + 1} serves on pid ${link.pid}`);
  }

  #ended(place: Place, link: ProcessLink, how: string): void {
    if (place.link !== link) return;
    place.link = null;
    if (link.lastSnapshot !== null) this.#remains = sumOf([...this.#remains, ...remainsOf(link.lastSnapshot)]);
    if (this.#stopping) return;
    if (performance.now() - place.startedAt_ms > SETTLED_MS) place.backoff.reset();
    const wait_ms = Math.round(place.backoff.next() ?? RESTART.max_ms);
    const { log } = this.#options;
    log.error(`worker ${place.number + 1} (pid ${link.pid}) has ended: ${how}; the next one starts in ${wait_ms} ms`);
    place.restart = setTimeout(() => this.#refill(place), wait_ms);
  }

  #refill(place: Place): void {
    place.restart = null;
    this.#inTurn(() => this.#fill(place)).catch((error: unknown) => {
      this.#options.log.error(`worker ${place.number + 1} cannot serve: ${String(error)}`);
      place.link?.kill();
    });
  }

  /** No new clients are taken; those that are there go on as they are. */
  closeDoors(): Promise<void> {
    this.#inherited.closeAllBut([]);
    return this.#tellAll({ kind: 'close-doors' }, CONFIGURE_MS);
  }

  /** Workers that start later, or in another's place, are told as well. */
  routes(routes: readonly Route[]): void {
    const news = routes.filter((route) => this.#routes.take(route));
    if (news.length > 0) void this.#tellAll({ kind: 'routes', routes: news }, CONFIGURE_MS);
  }

  hold(hold: Hold): void {
    void this.#tellAll({ kind: 'hold', hold }, CONFIGURE_MS);
  }

  /** Tells all workers, as far as they can hear. */
  async #tellAll(order: Order, deadline_ms: number): Promise<void> {
    const told = this.#places.map(({ link }) => link?.order(order, deadline_ms).catch(() => {}));
    await Promise.all(told);
  }

  /** The log level of this process has changed. */
  async logLevelChanged(): Promise<void> {
    await this.#tellAll({ kind: 'log-level', level: this.#options.log.level }, CONFIGURE_MS);
  }

  async reopenLogs(): Promise<void> {
    await this.#tellAll({ kind: 'reopen-log' }, CONFIGURE_MS);
  }

  /** The sum of all workers; of one that does not answer in time, what it last said. */
  async snapshot(): Promise<Snapshot> {
    await this.#tellAll({ kind: 'snapshot' }, SNAPSHOT_MS);
    const pools = this.#places.flatMap(({ link }) => link?.lastSnapshot?.pools ?? []);
    const { version } = this.#options;
    return { version, startedAt_ms: this.#startedAt_ms, pools: withRemains(pools, this.#remains) };
  }

  /** Ends all workers; what is under way may take so long. */
  async stop(drain_ms = 0): Promise<void> {
    this.#stopping = true;
    for (const place of this.#places) if (place.restart !== null) clearTimeout(place.restart);
    await Promise.all(this.#places.map(({ link }) => link?.end(drain_ms, STOP_MS)));
  }
}

/** The unix sockets that clients connect to. */
function pathsOf({ pools }: NutcrackerConfig): string[] {
  return pools.flatMap(doorsOf).flatMap(({ address }) => (address.kind === 'unix' ? [address.path] : []));
}
