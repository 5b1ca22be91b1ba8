/** The proxy as a whole: all pools of a configuration, their listeners and their clock. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NutcrackerConfig } from '../config/nutcracker-types.js';
import { ReplicaWatcher } from './follow/replica-watcher.js';
import { RouteFollower, type TellDoubt } from './follow/route-follower.js';
import { type Hold, type Route, RouteTable } from './follow/routes.js';
import { SentinelFollower } from './follow/sentinel-follower.js';
import { BufferPool } from './forward/bytes.js';
import { Pool, type PoolContext } from './forward/pool.js';
import type { Front } from './forward/protocol.js';
import { Turn } from './forward/turn.js';
import { InheritedDoors } from './inherited-doors.js';
import { type DoorHandle, doorName, doorsOf, Listener } from './listener.js';
import type { ProxyLog } from './log.js';
import { type Snapshot, snapshotOf } from './measure/snapshot.js';
import { MemcachedFront } from './memcached-front.js';
import { RedisFront } from './redis-front.js';
import type { RunningProxy } from './workers/orders.js';

/** How often timeouts, ejected servers and waiting clients are looked at. */
const TICK_MS = 50;

/** How often it is looked whether clients that are to go have gone. */
const DRAIN_LOOK_MS = 10;

interface Running {
  readonly pool: Pool;
  readonly listeners: readonly Listener[];
  readonly follower: SentinelFollower | RouteFollower | null;
  /** Null when reads go to masters. */
  readonly watcher: ReplicaWatcher | null;
}

export interface ProxyServerOptions {
  readonly version: string;
  readonly log: ProxyLog;
  /** Told when the master of a group, as a route named it, does not answer as one. */
  readonly doubted?: TellDoubt;
  /** Used by whoever listens there; those that are not wanted by the time of the start are closed then. */
  readonly inherited?: InheritedDoors;
}

export class ProxyServer implements RunningProxy {
  readonly version: string;
  readonly #startedAt_ms = Date.now();
  readonly #log: ProxyLog;
  readonly #context: PoolContext;
  readonly #doubted: TellDoubt;
  readonly #routes = new RouteTable();
  readonly #running = new Map<string, Running>();
  /** Pools that have been replaced and still have clients. */
  readonly #retiring = new Set<Running>();
  readonly #inherited: InheritedDoors;
  #timer: NodeJS.Timeout | null = null;

  constructor({ version, log, doubted = () => {}, inherited = new InheritedDoors() }: ProxyServerOptions) {
    this.#doubted = doubted;
    this.#inherited = inherited;
    this.version = version;
    this.#log = log;
    const seed = (Date.now() ^ (process.pid << 16)) >>> 0;
    this.#context = { turn: new Turn(), buffers: new BufferPool(), log, seed, version };
  }

  *pools(): Iterable<Pool> {
    for (const { pool } of this.#running.values()) yield pool;
  }

  snapshot(): Promise<Snapshot> {
    const pools = [...this.pools()].map(snapshotOf);
    return Promise.resolve({ version: this.version, startedAt_ms: this.#startedAt_ms, pools });
  }

  /** The port a pool listens on: the plain one, if it has two. */
  port(pool: string): number | null {
    return this.#running.get(pool)?.listeners[0]?.port ?? null;
  }

  lendDoors<T>(use: (doors: ReadonlyMap<string, DoorHandle>) => Promise<T>): Promise<T> {
    const open = new Map<string, DoorHandle>();
    for (const { listeners } of this.#running.values()) {
      for (const { door, handle } of listeners) if (handle !== null) open.set(doorName(door), handle);
    }
    return use(open);
  }

  /** Listens for every pool. @throws {Error} when one cannot; the others are closed again. */
  async start(config: NutcrackerConfig): Promise<void> {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    try {
      await this.reload(config);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  #tick(): void {
    const now = performance.now();
    for (const { pool } of this.#running.values()) pool.tick(now);
    for (const retiring of this.#retiring) {
      retiring.pool.tick(now);
      if (!retiring.pool.deserted) continue;
      this.#retiring.delete(retiring);
      end(retiring);
    }
  }

  /**
   * Goes over to another configuration. Pools that are the same are left alone; clients of a pool that has changed stay
   * connected and go over to it one by one; clients of a pool that is gone are disconnected.
   * @throws {Error} when a new address cannot be listened on; then nothing has changed.
   */
  async reload(config: NutcrackerConfig): Promise<void> {
    const next: { before: Running | null; listeners: Listener[]; fresh: Listener[]; pool: Pool }[] = [];
    for (const wanted of config.pools) {
      const before = this.#running.get(wanted.name) ?? null;
      if (before !== null && sameConfig(before.pool.config, wanted)) continue;
      const pool = new Pool(wanted, this.#context, newFront, before?.pool ?? null);
      const kept = before?.listeners ?? [];
      const listeners = doorsOf(wanted).map(
        (door) => kept.find((each) => sameConfig(each.door, door)) ?? new Listener(pool, door),
      );
      next.push({ before, pool, listeners, fresh: listeners.filter((each) => !kept.includes(each)) });
    }
    await this.#listenAll(next.flatMap(({ fresh }) => fresh));
    this.#inherited.closeAllBut([]);
    const names = new Set(config.pools.map(({ name }) => name));
    for (const [name, running] of this.#running) if (!names.has(name)) this.#remove(name, running);
    for (const { before, pool, listeners } of next) this.#replace(before, pool, listeners);
  }

  /** Listens on all of these addresses or on none. */
  async #listenAll(listeners: readonly Listener[]): Promise<void> {
    const listening: Listener[] = [];
    try {
      for (const listener of listeners) {
        await listener.listen(this.#inherited.take(listener.door));
        listening.push(listener);
      }
    } catch (error) {
      for (const listener of listening) listener.close();
      throw error;
    }
  }

  #remove(name: string, running: Running): void {
    this.#running.delete(name);
    for (const listener of running.listeners) listener.close();
    end(running);
    this.#log.notice(`${name}: removed`);
  }

  #replace(before: Running | null, pool: Pool, listeners: readonly Listener[]): void {
    const { config } = pool;
    const follower = this.#followerOf(pool);
    const watcher = follower === null || config.readFrom === 'master' ? null : new ReplicaWatcher(pool);
    this.#running.set(config.name, { pool, listeners, follower, watcher });
    if (config.preconnect) for (const shard of pool.shards) for (const link of shard.links) link.open();
    if (before !== null) {
      for (const listener of before.listeners) {
        if (listeners.includes(listener)) listener.serve(pool);
        else listener.close();
      }
      this.#retiring.add(before);
      before.pool.retire(pool);
    }
    this.#log.notice(
      `${config.name}: ${before === null ? 'listening' : 'reconfigured'}, ${config.servers.length} servers`,
    );
  }

  #followerOf(pool: Pool): Running['follower'] {
    const { sentinels, servers } = pool.config;
    if (sentinels.length > 0) return new SentinelFollower(pool);
    const routed = servers.some(({ target }) => target.kind === 'group');
    return routed ? new RouteFollower(pool, this.#routes, this.#doubted) : null;
  }

  *#routeFollowers(): Iterable<RouteFollower> {
    for (const { follower } of [...this.#running.values(), ...this.#retiring]) {
      if (follower instanceof RouteFollower) yield follower;
    }
  }

  /** Where the masters of groups are; of an older epoch than is known, they are ignored. */
  routes(routes: readonly Route[]): void {
    for (const route of routes) {
      if (!this.#routes.take(route)) continue;
      for (const follower of this.#routeFollowers()) follower.routed(route.group);
    }
  }

  /** The master of a group is about to step down: its requests wait for the next one. */
  hold(hold: Hold): void {
    for (const follower of this.#routeFollowers()) follower.hold(hold);
  }

  /** Takes no new clients; those that are there go on as they are. */
  closeDoors(): Promise<void> {
    for (const { listeners } of this.#running.values()) for (const listener of listeners) listener.close();
    return Promise.resolve();
  }

  /** Lets clients go, each when all its requests have been answered, or when the time is over. */
  async #drain(drain_ms: number): Promise<void> {
    const pools = [...this.#running.values(), ...this.#retiring].map(({ pool }) => pool);
    for (const pool of pools) pool.letGo();
    const deadline_ms = performance.now() + drain_ms;
    while (performance.now() < deadline_ms && !pools.every((pool) => pool.settled)) await sleep(DRAIN_LOOK_MS);
  }

  /** Ends all pools. @param drain_ms how long clients may wait for what they have asked for. */
  async stop(drain_ms = 0): Promise<void> {
    void this.closeDoors();
    if (drain_ms > 0) await this.#drain(drain_ms);
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const [name, running] of this.#running) this.#remove(name, running);
    for (const retiring of this.#retiring) end(retiring);
    this.#retiring.clear();
  }
}

/** Disconnects its clients and servers. */
function end({ pool, follower, watcher }: Running): void {
  follower?.stop();
  watcher?.stop();
  pool.stop();
}

function newFront(pool: Pool): Front {
  return pool.config.redis ? new RedisFront(pool) : new MemcachedFront(pool);
}

/** Places in the file do not matter. */
function sameConfig(a: unknown, b: unknown): boolean {
  const text = (value: unknown): string =>
    JSON.stringify(value, (key, part: unknown) => (key === 'place' ? null : part));
  return text(a) === text(b);
}
