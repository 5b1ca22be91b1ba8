/** A redis-server on a lab host as its operator set it up; what the peers run. Reached by its Unix socket from outside. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from '../../support/child.js';
import { requirePeer } from '../../support/peers.js';
import { type RespValue, request } from '../../support/resp.js';
import type { Host } from '../host.js';
import type { Stage } from './stage.js';
import type { RedisPlace } from './system.js';

export interface RedisNodeOptions {
  readonly group?: string;
  readonly port?: number;
  readonly password?: string;
  /** Lines of redis.conf. */
  readonly lines?: readonly string[];
}

export class RedisNode implements RedisPlace {
  readonly group: string;
  readonly port: number;
  readonly socket: string;
  readonly password: string | undefined;
  readonly dataDirectory: string;
  readonly #stage: Stage;
  readonly #host: Host;
  readonly #config: string;
  #child: Child | null = null;

  constructor(stage: Stage, host: Host, directory: string, options: RedisNodeOptions = {}) {
    const { group = 'mymaster', port = 6379, password, lines = [] } = options;
    this.group = group;
    this.port = port;
    this.password = password;
    this.socket = join(stage.folder, `${host.name}-${port}.sock`);
    this.dataDirectory = join(directory, String(port));
    this.#stage = stage;
    this.#host = host;
    this.#config = join(stage.folder, `${host.name}-${port}.conf`);
    mkdirSync(this.dataDirectory, { recursive: true });
    const auth = password === undefined ? [] : [`requirepass ${password}`, `masterauth ${password}`];
    const own = [`port ${port}`, `dir ${this.dataDirectory}`, `unixsocket ${this.socket}`, ...auth];
    writeFileSync(this.#config, `${[...commonLines, ...own, ...lines].join('\n')}\n`);
  }

  get processPattern(): RegExp {
    return new RegExp(`redis-server .*:${this.port}\\b(?!.*sentinel)`);
  }

  /** Starts it again from its redis.conf, which a Sentinel may have rewritten meanwhile. */
  start(): void {
    const { path, args } = requirePeer('redis-server');
    this.#child = this.#host.start(path, [this.#config, ...args], this.#stage.env(this.#host.name));
  }

  wipe(): void {
    rmSync(this.dataDirectory, { recursive: true, force: true });
    mkdirSync(this.dataDirectory, { recursive: true });
  }

  get log(): string {
    return this.#child?.output ?? '';
  }
}

/** Alike for every system: the seeds ask for data on disk, and a comparison of persistence settings is not the point. */
export const commonLines = ['bind 0.0.0.0', 'protected-mode no', 'save ""', 'appendonly yes', 'unixsocketperm 777'];

/** One command to a Redis from outside its host; no cable or firewall of the lab matters. */
export function ask(redis: RedisPlace, ...words: readonly (string | number)[]): Promise<RespValue> {
  const { socket: path, password } = redis;
  return request({ path, deadline_ms: 1_000, ...(password === undefined ? {} : { password }) }, ...words);
}

/** INFO's section `replication` as an object. @throws {Error} when it does not answer */
export async function replication(redis: RedisPlace): Promise<Record<string, string>> {
  const text = String(await ask(redis, 'INFO', 'replication'));
  return Object.fromEntries(
    text.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':');
      return colon === -1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
    }),
  );
}
