import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, startChild } from './child.js';
import type { Cleanup } from './cleanup.js';
import { freePort } from './free-port.js';
import { type Peer, requirePeer } from './peers.js';
import { untilAnswers } from './redis-server.js';
import { type RespValue, request } from './resp.js';
import { tempDir } from './temp-dir.js';

/** How to start a Sentinel. */
export interface SentinelOptions {
  /** What follows `port`, `bind` and `dir` in sentinel.conf, e.g. `sentinel monitor mymaster 127.0.0.1 6379 2`. */
  readonly config: string;
  /** A port found free by default. */
  readonly port?: number;
  /** What to run, given the path of sentinel.conf as its first argument; the real redis-sentinel by default. */
  readonly program?: Peer;
}

/** A Sentinel with a sentinel.conf of its own, on loopback. */
export class SentinelProcess {
  readonly port: number;
  readonly configPath: string;
  readonly #program: Peer;
  readonly #cleanup: Cleanup;
  #child: Child | null = null;

  constructor(port: number, options: SentinelOptions, cleanup: Cleanup) {
    const dir = tempDir(cleanup, 'tanist-sentinel-');
    this.port = port;
    this.configPath = join(dir, 'sentinel.conf');
    this.#program = options.program ?? requirePeer('redis-sentinel');
    this.#cleanup = cleanup;
    writeFileSync(this.configPath, `port ${port}\nbind 127.0.0.1\ndir ${dir}\n${options.config}\n`);
  }

  /** The process that runs now, or ran last. */
  get child(): Child {
    if (this.#child === null) throw new Error('this Sentinel has not been started');
    return this.#child;
  }

  /** Its log since the last start. */
  get log(): string {
    return this.child.output;
  }

  /** sentinel.conf as it stands, with what the Sentinel rewrote. */
  get config(): string {
    return readFileSync(this.configPath, 'utf8');
  }

  /** Starts it and waits until it answers. @throws {Error} with its log when it ends. */
  async start(): Promise<void> {
    const { path, before = [], args, env } = this.#program;
    this.#child = startChild({ command: path, args: [...before, this.configPath, ...args], env }, this.#cleanup);
    await untilAnswers(this.child, this.port);
  }

  /** One command, one reply, over a connection of its own. @throws {RespError} the Sentinel's error. */
  cli(...args: readonly (string | number)[]): Promise<RespValue> {
    return request({ port: this.port }, ...args);
  }

  /** A reply of field-value pairs as an object, e.g. `fields('SENTINEL', 'MASTER', 'mymaster')`. */
  async fields(...args: readonly (string | number)[]): Promise<Record<string, string>> {
    const reply = await this.cli(...args);
    if (!Array.isArray(reply)) throw new Error(`not a list of fields: ${JSON.stringify(reply)}`);
    const pairs: [string, string][] = [];
    for (let i = 0; i + 1 < reply.length; i += 2) pairs.push([String(reply[i]), String(reply[i + 1])]);
    return Object.fromEntries(pairs);
  }

  /** The port of the master by this Sentinel's word. */
  async masterPort(name: string): Promise<number> {
    const reply = await this.cli('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name);
    if (!Array.isArray(reply)) throw new Error(`${name} is not monitored`);
    return Number(reply[1]);
  }

  /** Ends it if it still runs, and starts it again from sentinel.conf as it stands. */
  async restart(): Promise<void> {
    await this.child.stop();
    await this.start();
  }
}

/** Starts a Sentinel and waits until it answers. */
export async function startSentinel(cleanup: Cleanup, options: SentinelOptions): Promise<SentinelProcess> {
  const sentinel = new SentinelProcess(options.port ?? (await freePort()), options, cleanup);
  await sentinel.start();
  return sentinel;
}
