/** Three Redis with replication, and three Sentinels of one kind that watch them, on loopback. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DemoError } from '../../src/demo/demo-error.js';
import { freePorts } from '../../src/demo/free-ports.js';
import { Process } from '../../src/demo/process.js';
import { until } from '../../src/demo/until.js';
import { readServerInfo, type ServerInfo } from '../../src/redis/info.js';
import { RedisLink } from '../../src/redis/link.js';
import type { Reply } from '../../src/redis/reply.js';

const HOST = '127.0.0.1';
const START_DEADLINE_MS = 15_000;
const ASK_DEADLINE_MS = 300;

/** The name under which the master is monitored. */
export const GROUP = 'trio';

/** One server with a connection of ours to ask it by. */
export class Node {
  readonly link: RedisLink;
  readonly process: Process;
  readonly port: number;

  constructor(port: number, process: Process) {
    this.port = port;
    this.process = process;
    this.link = new RedisLink({
      to: { host: HOST, port },
      connectTimeout_ms: ASK_DEADLINE_MS,
      backoff: { base_ms: 20, max_ms: 100 },
    });
  }

  get place(): string {
    return `${HOST}:${this.port}`;
  }

  /** The reply, or null when there is none in time. */
  async ask(...args: string[]): Promise<Reply> {
    if (this.process.state !== 'up') return null;
    return this.link.request(args, { deadline_ms: ASK_DEADLINE_MS }).catch(() => null);
  }

  /** What INFO tells, or null when it does not answer. */
  async info(): Promise<ServerInfo | null> {
    const reply = await this.ask('INFO');
    return typeof reply === 'string' ? readServerInfo(reply) : null;
  }

  async awaitStart(what: string): Promise<void> {
    await until(`${what} at ${this.place}`, START_DEADLINE_MS, async () => {
      this.mustRun(what);
      return (await this.ask('PING')) === 'PONG';
    });
  }

  /** @throws {DemoError} with its last words when the process has ended. */
  mustRun(what: string): void {
    if (this.process.state !== 'down') return;
    throw new DemoError(`${what} at ${this.place} has ended: ${this.process.notStarted ?? this.process.lastWords}`);
  }
}

/** A program with the arguments that come before and after ours. */
export interface Program {
  readonly command: string;
  readonly before?: readonly string[];
  readonly after?: readonly string[];
}

const TANIST = join(import.meta.dirname, '..', '..', 'bin', 'tanist');

/** This checkout's own Sentinel. */
export const TANIST_SENTINEL: Program = {
  command: process.execPath,
  before: [TANIST, 'sentinel'],
};

export interface ServerOptions {
  readonly redis: Program;
  readonly sentinel: Program;
  readonly downAfter_ms: number;
  readonly failoverTimeout_ms: number;
  /** Lines for sentinel.conf besides, e.g. Tanist's own options. */
  readonly sentinelLines: readonly string[];
}

/** The servers and the folder that they live in. */
export class Servers {
  readonly redis: Node[] = [];
  readonly sentinels: Node[] = [];
  readonly #dir = mkdtempSync(join(tmpdir(), 'tanist-trio-'));

  /** Starts all of them, unless `stop` comes first. */
  static async start(options: ServerOptions, stop: AbortSignal): Promise<Servers> {
    const servers = new Servers();
    stop.addEventListener('abort', () => servers.abandon(), { once: true });
    try {
      const ports = await freePorts(6);
      // In this order, since each part looks for those before it.
      for (const [index, port] of ports.slice(0, 3).entries())
        servers.#addRedis(options.redis, port, index, ports[0] ?? 0);
      await Promise.all(servers.redis.map((node) => node.awaitStart('redis-server')));
      await servers.#awaitReplication();
      for (const [index, port] of ports.slice(3).entries()) servers.#addSentinel(options, port, index, ports[0] ?? 0);
      await Promise.all(servers.sentinels.map((node) => node.awaitStart('tanist sentinel')));
      await servers.#awaitDiscovery();
      return servers;
    } catch (error) {
      await servers.end();
      throw error;
    }
  }

  /** Ends every process and removes the folder. */
  async end(): Promise<void> {
    const all = this.#all();
    for (const node of all) node.link.close();
    await Promise.all(all.map((node) => node.process.end()));
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Removes the folder at once, when there is no time left to wait for anything. */
  abandon(): void {
    for (const node of this.#all()) node.process.kill();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #all(): Node[] {
    return [...this.redis, ...this.sentinels];
  }

  at(port: number): Node | null {
    return this.redis.find((node) => node.port === port) ?? null;
  }

  /** The master as most Sentinels that answer have it. */
  async agreedMaster(): Promise<Node | null> {
    const votes = new Map<number, number>();
    for (const port of await Promise.all(this.sentinels.map((node) => masterPort(node)))) {
      if (port !== null) votes.set(port, (votes.get(port) ?? 0) + 1);
    }
    const [port, count] = [...votes].sort((a, b) => b[1] - a[1])[0] ?? [0, 0];
    return count > this.sentinels.length / 2 ? this.at(port) : null;
  }

  #addRedis(program: Program, port: number, index: number, masterPort_: number): void {
    const dir = join(this.#dir, `redis-${index + 1}`);
    mkdirSync(dir);
    const conf = join(dir, 'redis.conf');
    const lines = [
      `port ${port}`,
      `bind ${HOST}`,
      `dir ${dir}`,
      'save ""',
      'appendonly no',
      'repl-diskless-sync-delay 0',
    ];
    if (index > 0) lines.push(`replicaof ${HOST} ${masterPort_}`);
    writeFileSync(conf, `${lines.join('\n')}\n`);
    this.redis.push(new Node(port, started(program, [conf])));
  }

  #addSentinel(options: ServerOptions, port: number, index: number, masterPort_: number): void {
    const conf = join(this.#dir, `sentinel-${index + 1}.conf`);
    const lines = [
      `port ${port}`,
      `bind ${HOST}`,
      `dir ${this.#dir}`,
      `logfile ${join(this.#dir, `sentinel-${index + 1}.log`)}`,
      `sentinel monitor ${GROUP} ${HOST} ${masterPort_} 2`,
      `sentinel down-after-milliseconds ${GROUP} ${options.downAfter_ms}`,
      `sentinel failover-timeout ${GROUP} ${options.failoverTimeout_ms}`,
      ...options.sentinelLines,
    ];
    writeFileSync(conf, `${lines.join('\n')}\n`);
    this.sentinels.push(new Node(port, started(options.sentinel, [conf])));
  }

  async #awaitReplication(): Promise<void> {
    const [master] = this.redis;
    await until('both replicas to be in sync', START_DEADLINE_MS, async () => {
      for (const node of this.redis) node.mustRun('redis-server');
      const info = await master?.info();
      return info?.replicas.filter((replica) => replica.state === 'online').length === 2;
    });
  }

  /** Until every Sentinel knows both others and both replicas. */
  async #awaitDiscovery(): Promise<void> {
    await until('the Sentinels to find each other', START_DEADLINE_MS, async () => {
      for (const node of this.sentinels) node.mustRun('tanist sentinel');
      for (const node of this.sentinels) {
        const info = await node.ask('INFO', 'sentinel');
        if (typeof info !== 'string' || !/slaves=2,sentinels=3/.test(info)) return false;
      }
      return true;
    });
  }
}

/** Where a Sentinel says that the master is. */
export async function masterPort(sentinel: Node): Promise<number | null> {
  const reply = await sentinel.ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', GROUP);
  return Array.isArray(reply) ? Number(reply[1]) : null;
}

function started(program: Program, args: readonly string[]): Process {
  const child = new Process(program.command, [...(program.before ?? []), ...args, ...(program.after ?? [])]);
  child.start();
  return child;
}
