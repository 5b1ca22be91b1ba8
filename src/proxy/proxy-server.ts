/** The proxy as a whole: all pools of a configuration, their listeners and their clock. */
import type { NutcrackerConfig, PoolConfig } from '../config/nutcracker-types.js';
import { SentinelFollower } from './follow/sentinel-follower.js';
import { BufferPool } from './forward/bytes.js';
import { Pool, type PoolContext } from './forward/pool.js';
import { Turn } from './forward/turn.js';
import { Listener } from './listener.js';
import type { ProxyLog } from './log.js';
import { RedisFront } from './redis-front.js';
import type { StatsSource } from './stats-page.js';

/** How often timeouts, ejected servers and waiting clients are looked at. */
const TICK_MS = 50;

interface Running {
  readonly pool: Pool;
  readonly listener: Listener;
  readonly follower: SentinelFollower | null;
}

export interface ProxyServerOptions {
  readonly version: string;
  readonly log: ProxyLog;
}

export class ProxyServer implements StatsSource {
  readonly version: string;
  readonly startedAt_ms = Date.now();
  readonly #log: ProxyLog;
  readonly #context: PoolContext;
  readonly #running = new Map<string, Running>();
  #timer: NodeJS.Timeout | null = null;

  constructor({ version, log }: ProxyServerOptions) {
    this.version = version;
    this.#log = log;
    const seed = (Date.now() ^ (process.pid << 16)) >>> 0;
    this.#context = { turn: new Turn(), buffers: new BufferPool(), log, seed, version };
  }

  *pools(): Iterable<Pool> {
    for (const { pool } of this.#running.values()) yield pool;
  }

  /** The port a pool listens on. */
  port(pool: string): number | null {
    return this.#running.get(pool)?.listener.port ?? null;
  }

  /** Listens for every pool. @throws {Error} when one cannot; the others are closed again. */
  async start(config: NutcrackerConfig): Promise<void> {
    this.#timer = setInterval(() => {
      const now = performance.now();
      for (const { pool } of this.#running.values()) pool.tick(now);
    }, TICK_MS);
    try {
      for (const pool of config.pools) await this.#add(pool);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async #add(config: PoolConfig): Promise<void> {
    const pool = new Pool(config, this.#context, (of) => new RedisFront(of));
    const listener = new Listener(pool);
    const follower = config.sentinels.length > 0 ? new SentinelFollower(pool) : null;
    this.#running.set(config.name, { pool, listener, follower });
    await listener.listen();
    if (config.preconnect) for (const shard of pool.shards) for (const link of shard.links) link.open();
    this.#log.notice(`${config.name}: listening, ${config.servers.length} servers`);
  }

  /** Ends all pools; clients are disconnected. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const { pool, listener, follower } of this.#running.values()) {
      follower?.stop();
      listener.close();
      pool.stop();
    }
    this.#running.clear();
  }
}
