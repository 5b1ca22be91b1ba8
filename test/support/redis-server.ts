import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, type ChildExit, startChild } from './child.js';
import type { Cleanup } from './cleanup.js';
import { freePort } from './free-port.js';
import { requirePeer } from './peers.js';
import { type RequestOptions, type RespValue, request } from './resp.js';
import { tempDir } from './temp-dir.js';
import { until } from './until.js';

/** Directives of redis.conf, as written there; a list repeats the directive. */
export type RedisConfig = Readonly<Record<string, string | number | readonly string[]>>;

/** How to start a Redis. */
export interface RedisOptions {
  readonly config?: RedisConfig;
  /** The port of a master on loopback to follow. */
  readonly replicaOf?: number;
  /** A port found free by default. */
  readonly port?: number;
  /** Which server; Valkey stands in when there is no redis-server. */
  readonly peer?: 'redis-server' | 'valkey-server';
}

/** Sensible for tests: nothing on disk, and replicas synchronised at once. */
const defaults: RedisConfig = {
  bind: '127.0.0.1',
  save: '""',
  appendonly: 'no',
  'repl-diskless-sync-delay': 0,
  'repl-ping-replica-period': 1,
};

const portTakenRetries_max = 3;

/** A real Redis in a temporary folder, on loopback. Starts from its redis.conf, which it may rewrite, as in life. */
export class RedisServer {
  readonly dir: string;
  readonly configPath: string;
  #port: number;
  #child: Child | null = null;
  readonly #options: RedisOptions;
  readonly #cleanup: Cleanup;

  constructor(port: number, options: RedisOptions, cleanup: Cleanup) {
    this.#port = port;
    this.#options = options;
    this.#cleanup = cleanup;
    this.dir = tempDir(cleanup, 'tanist-redis-');
    this.configPath = join(this.dir, 'redis.conf');
  }

  get port(): number {
    return this.#port;
  }

  /** The process that runs now, or ran last. */
  get child(): Child {
    if (this.#child === null) throw new Error('this Redis has not been started');
    return this.#child;
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Its log since the last start. */
  get log(): string {
    return this.child.output;
  }

  /** Writes redis.conf afresh, dropping what the server or a Sentinel rewrote into it. */
  writeConfig(): void {
    const { config = {}, replicaOf } = this.#options;
    const all: RedisConfig = {
      ...defaults,
      ...(replicaOf === undefined ? {} : { replicaof: `127.0.0.1 ${replicaOf}` }),
      ...config,
      port: this.#port,
      dir: this.dir,
    };
    const lines = Object.entries(all).flatMap(([name, value]) =>
      typeof value === 'object' ? value.map((each) => `${name} ${each}`) : [`${name} ${value}`],
    );
    writeFileSync(this.configPath, `${lines.join('\n')}\n`);
  }

  /** Starts it from redis.conf as it is now, and waits until it answers. @throws {Error} with its log when it ends. */
  async start(): Promise<void> {
    const { path, args, env } = requirePeer(this.#options.peer ?? 'redis-server');
    this.#child = startChild({ command: path, args: [this.configPath, ...args], env, cwd: this.dir }, this.#cleanup);
    await untilAnswers(this.child, this.#port);
  }

  /** Starts on a port of its own finding, again when somebody else was quicker. */
  async startFresh(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      this.writeConfig();
      try {
        return await this.start();
      } catch (error) {
        const taken = this.log.includes('Address already in use');
        if (!taken || this.#options.port !== undefined || attempt === portTakenRetries_max) throw error;
        this.#port = await freePort();
      }
    }
  }

  /** One command, one reply, over a connection of its own. @throws {RespError} the server's error. */
  cli(...args: readonly (string | number)[]): Promise<RespValue> {
    return request({ port: this.#port }, ...args);
  }

  /** A section of INFO as an object. */
  async info(section = 'everything'): Promise<Record<string, string>> {
    const text = String(await this.cli('INFO', section));
    const pairs = text.split('\r\n').filter((line) => line.includes(':') && !line.startsWith('#'));
    return Object.fromEntries(
      pairs.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
    );
  }

  /** Waits until its link to its master is up. */
  async untilLinkedTo(masterPort: number, deadline_ms = 15_000): Promise<void> {
    const linked = async () => {
      const { role, master_port, master_link_status } = await this.info('replication');
      const now = `${role} of ${master_port}, link ${master_link_status}`;
      if (now !== `slave of ${masterPort}, link up`) throw new Error(now);
      return true;
    };
    await until(linked, { what: `the Redis at ${this.#port} to follow ${masterPort}`, deadline_ms });
  }

  kill9(): Promise<ChildExit> {
    return this.child.kill9();
  }

  stop(): Promise<ChildExit> {
    return this.child.stop();
  }

  /** Connections stay open, nothing is answered. */
  freeze(): void {
    this.child.freeze();
  }

  thaw(): void {
    this.child.thaw();
  }

  /** Ends it if it still runs, and starts it again on the same port from redis.conf as it stands. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }
}

/** Starts a Redis and waits until it answers. */
export async function startRedis(cleanup: Cleanup, options: RedisOptions = {}): Promise<RedisServer> {
  const server = new RedisServer(options.port ?? (await freePort()), options, cleanup);
  await server.startFresh();
  return server;
}

/** A master and N replicas. */
export type Replicated<N extends number> = N extends 1
  ? [RedisServer, RedisServer]
  : N extends 2
    ? [RedisServer, RedisServer, RedisServer]
    : [RedisServer, ...RedisServer[]];

/** Starts a master and its replicas, and waits until every replica's link is up. The master comes first. */
export async function startReplicated<N extends number>(
  cleanup: Cleanup,
  options: { readonly replicas: N; readonly config?: RedisConfig },
): Promise<Replicated<N>> {
  const { replicas, config = {} } = options;
  const master = await startRedis(cleanup, { config });
  const followers = await Promise.all(
    Array.from({ length: replicas }, () => startRedis(cleanup, { config, replicaOf: master.port })),
  );
  await Promise.all(followers.map((each) => each.untilLinkedTo(master.port)));
  return [master, ...followers] as Replicated<N>;
}

/** Waits until a server answers PING, even with "authenticate first". @throws {Error} with its log when it ends. */
export async function untilAnswers(child: Child, port: number, options: Partial<RequestOptions> = {}): Promise<void> {
  const ping = async () => {
    if (child.exit !== null) return 'ended';
    const reply = await request({ deadline_ms: 1_000, ...options, port }, 'PING').catch((error: Error) => {
      if (error.message.startsWith('NOAUTH')) return 'PONG';
      throw error;
    });
    return reply === 'PONG' ? reply : null;
  };
  const answer = await until(ping, { what: `an answer on port ${port}` });
  if (answer === 'ended') throw new Error(`the server for port ${port} ended at once:\n${child.output}`);
}
