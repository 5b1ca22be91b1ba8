/** One pool: a listener, its clients, its ring and its shards. */
import { Prng } from '../../base/prng.js';
import type { PoolConfig } from '../../config/nutcracker-types.js';
import { LatencyTable } from '../measure/latency.js';
import { SlowLog } from '../measure/slow-log.js';
import { Ring } from '../ring/ring.js';
import { PoolUsers } from '../users.js';
import type { BufferPool } from './bytes.js';
import type { Client } from './client.js';
import { Joins } from './joins.js';
import type { Front } from './protocol.js';
import type { ServerLink } from './server-link.js';
import { Shard } from './shard.js';
import { PoolStats } from './stats.js';
import type { Turn } from './turn.js';

/** How long a client may leave a heavy output unread before it is closed: until then a server waits for it. */
const HEAVY_MAX_MS = 1_000;

export interface PoolLog {
  warn(text: string): void;
  notice(text: string): void;
  info(text: string): void;
}

/** What the pools of a process share. */
export interface PoolContext {
  readonly turn: Turn;
  readonly buffers: BufferPool;
  readonly log: PoolLog;
  /** For the `random` distribution. */
  readonly seed: number;
  /** What INFO and HELLO say the version is. */
  readonly version: string;
}

export class Pool {
  readonly config: PoolConfig;
  readonly turn: Turn;
  readonly buffers: BufferPool;
  readonly log: PoolLog;
  readonly version: string;
  readonly front: Front;
  /** Null when there are none to tell apart. */
  readonly users: PoolUsers | null;
  readonly ring: Ring;
  readonly shards: readonly Shard[];
  readonly joins: Joins;
  /** Statistics are shared with the pool that this one replaces. */
  readonly stats: PoolStats;
  readonly latency: LatencyTable;
  readonly slowLog: SlowLog;
  /** Clients by slot; a slot is free again when its last reply has come. */
  readonly clients: (Client | undefined)[] = [];
  held_bytes = 0;
  totalConnections = 0;
  currentConnections = 0;
  readonly #freeSlots: number[] = [];
  /** Connections to servers that are not read because a client does not read. */
  readonly #pausedReplies = new Map<Client, Set<ServerLink>>();

  constructor(config: PoolConfig, context: PoolContext, newFront: (pool: Pool) => Front, before: Pool | null = null) {
    const prng = new Prng(context.seed);
    this.config = config;
    this.turn = context.turn;
    this.buffers = context.buffers;
    this.log = context.log;
    this.version = context.version;
    this.stats = before?.stats ?? new PoolStats();
    this.totalConnections = before?.totalConnections ?? 0;
    this.users = config.users === null ? null : new PoolUsers(config.users, config);
    this.joins = new Joins(this);
    this.ring = new Ring({ ...config, below: (limit) => prng.below(limit) });
    this.front = newFront(this);
    const sameProtocol = before !== null && before.config.redis === config.redis;
    this.latency = sameProtocol ? before.latency : new LatencyTable(this.front.commandNames);
    this.slowLog = before?.slowLog ?? new SlowLog();
    this.shards = config.servers.map((server, index) => new Shard(this, index, server));
  }

  /** The shard that holds the key in bytes [start, end). */
  shardOf(bytes: Uint8Array, start: number, end: number): Shard {
    return this.shards[this.ring.pick(bytes, start, end)] as Shard;
  }

  /** Gives a new client its slot, or null when the pool has as many clients as it may. */
  takeSlot(): number | null {
    const limit = this.config.clientConnections;
    if (limit > 0 && this.stats.client_connections >= limit) return null;
    return this.#freeSlots.pop() ?? this.clients.length;
  }

  /** Takes a client over from another pool, and gives it its slot here. */
  adopt(client: Client): number {
    const slot = this.#freeSlots.pop() ?? this.clients.length;
    this.clients[slot] = client;
    this.currentConnections++;
    return slot;
  }

  /** Hands its clients to the pool that replaces it, each as soon as nothing holds it here. */
  retire(next: Pool): void {
    this.turn.begin();
    for (const client of this.clients) client?.moveTo(next);
    for (const shard of this.shards) shard.wakeWaiting();
  }

  /** Its clients are to leave, each when it has been answered. */
  letGo(): void {
    this.turn.begin();
    for (const client of this.clients) client?.leave();
  }

  /** True when no client is owed anything. */
  get settled(): boolean {
    return this.clients.every((client) => client === undefined || client.settled);
  }

  /** True when no client is left. */
  get deserted(): boolean {
    return this.clients.every((client) => client === undefined);
  }

  freeSlot(client: Client): void {
    if (this.clients[client.slot] !== client) return;
    this.clients[client.slot] = undefined;
    this.#freeSlots.push(client.slot);
  }

  /** A connection to a server is not read until this client has read more of its replies. */
  pauseReplies(client: Client, link: ServerLink): void {
    const links = this.#pausedReplies.get(client) ?? new Set();
    links.add(link);
    this.#pausedReplies.set(client, links);
  }

  releaseReplies(client: Client): void {
    const links = this.#pausedReplies.get(client);
    if (links === undefined) return;
    this.#pausedReplies.delete(client);
    for (const link of links) link.readAgain();
  }

  /**
   * Makes a client wait for a shard that takes no requests now.
   * @returns false when it has waited for as long as it may: its request is to be answered with an error.
   */
  mustWait(client: Client, shard: Shard): boolean {
    const { turn, config } = this;
    const waited = client.waitSince_ms < 0 ? 0 : turn.now - client.waitSince_ms;
    if (shard.follows && !shard.open && waited >= config.holdTimeout_ms && client.waitSince_ms >= 0) return false;
    shard.wait(client);
    return true;
  }

  /** To be called a few times a second, with the time on the turn's clock. */
  tick(now: number): void {
    this.turn.begin();
    for (const shard of this.shards) shard.tick(now);
    for (const client of [...this.#pausedReplies.keys()]) {
      if (!client.heavy || now - client.heavySince_ms < HEAVY_MAX_MS) continue;
      this.log.warn(`${this.config.name}: closing a client that does not read its replies`);
      this.stats.client_err++;
      client.socket.destroy();
    }
  }

  /** Ends all connections. */
  stop(): void {
    for (const shard of this.shards) shard.stop();
    for (const client of this.clients) client?.socket.destroy();
  }
}
