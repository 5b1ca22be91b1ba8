/** redis-sentinel on a lab host. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from '../../../support/child.js';
import { requirePeer } from '../../../support/peers.js';
import { type RespValue, request } from '../../../support/resp.js';
import { until } from '../../../support/until.js';
import type { Host } from '../../host.js';
import type { Stage } from '../stage.js';

export const SENTINEL_PORT = 26379;
export const SENTINEL_PATTERN = /:26379 \[sentinel\]/;

export class SentinelNode {
  readonly #stage: Stage;
  readonly #host: Host;
  readonly #config: string;
  readonly #socket: string;
  #child: Child | null = null;

  constructor(stage: Stage, host: Host, lines: readonly string[]) {
    this.#stage = stage;
    this.#host = host;
    this.#config = join(stage.folder, `${host.name}-sentinel.conf`);
    this.#socket = join(stage.folder, `${host.name}-sentinel.sock`);
    const own = [`port ${SENTINEL_PORT}`, `unixsocket ${this.#socket}`, `dir ${stage.folder}`, 'protected-mode no'];
    writeFileSync(this.#config, `${[...own, ...lines].join('\n')}\n`);
  }

  /** From its sentinel.conf, which it has rewritten when it ran before. */
  async start(): Promise<void> {
    const { path, args } = requirePeer('redis-sentinel');
    this.#child = this.#host.start(path, [this.#config, ...args], this.#stage.env(this.#host.name));
    await until(async () => (await this.ask('PING')) === 'PONG', { what: `the Sentinel on ${this.#host.name}` });
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
  }

  ask(...words: readonly string[]): Promise<RespValue> {
    return request({ path: this.#socket, deadline_ms: 1_000 }, ...words);
  }

  /** What it knows of a master. */
  async master(name: string): Promise<Record<string, string>> {
    const flat = await this.ask('SENTINEL', 'MASTER', name);
    const words = Array.isArray(flat) ? flat.map(String) : [];
    return Object.fromEntries(words.flatMap((word, i) => (i % 2 === 0 ? [[word, words[i + 1] ?? '']] : [])));
  }

  get log(): string {
    return this.#child?.output ?? '';
  }
}
