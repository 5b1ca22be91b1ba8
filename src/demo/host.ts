/** One host of the demo's cluster: its agent and its Redis, to be asked and to be broken. */
import { join } from 'node:path';
import type { ClusterView } from '../agent/view.js';
import { errorText } from '../base/error-text.js';
import { RedisLink } from '../redis/link.js';
import { KeptRedis } from './kept-redis.js';
import type { Process } from './process.js';

const ASK_MS = 300;
/** An agent that asks silent others answers later than one that does not. */
const VIEW_MS = 1_500;
/** An order is answered when it is carried out. */
const ORDER_MS = 30_000;

export interface HostOptions {
  readonly name: string;
  readonly address: string;
  readonly group: string;
  readonly ports: { readonly redis: number; readonly sentinel: number; readonly api: number };
  /** The demo's folder. */
  readonly directory: string;
  readonly agent: Process;
}

export class Host {
  readonly name: string;
  readonly address: string;
  readonly agent: Process;
  readonly redis: KeptRedis;
  /** To its Redis. */
  readonly link: RedisLink;
  readonly #group: string;
  readonly #api: string;
  readonly #sentinel: RedisLink;

  constructor({ name, address, group, ports, directory, agent }: HostOptions) {
    this.name = name;
    this.address = address;
    this.agent = agent;
    this.#group = group;
    const record = join(directory, 'state', name, `${group}.redis.json`);
    this.redis = new KeptRedis(record, join(directory, 'redis', name));
    this.link = linkTo(address, ports.redis);
    this.#sentinel = linkTo(address, ports.sentinel);
    this.#api = `http://${address}:${ports.api}`;
  }

  /** Where its Sentinel says that the master is; null when it does not answer. */
  async masterAddress(): Promise<string | null> {
    if (this.agent.state !== 'up') return null;
    const question = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#group];
    const reply = await this.#sentinel.request(question, { deadline_ms: ASK_MS }).catch(() => null);
    return Array.isArray(reply) && typeof reply[0] === 'string' ? reply[0] : null;
  }

  /** The cluster as its agent sees it; null when it does not answer. */
  async view(): Promise<ClusterView | null> {
    if (this.agent.state !== 'up') return null;
    try {
      const reply = await fetch(`${this.#api}/cluster`, { signal: AbortSignal.timeout(VIEW_MS) });
      return reply.ok ? ((await reply.json()) as ClusterView) : null;
    } catch {
      return null;
    }
  }

  /** Orders a switchover. @returns why it was not done; null when it was */
  async switchOver(): Promise<string | null> {
    try {
      const reply = await fetch(`${this.#api}/switchover`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
        signal: AbortSignal.timeout(ORDER_MS),
      });
      const { error } = (await reply.json()) as { readonly error?: string };
      return reply.ok ? null : (error ?? `status ${reply.status}`);
    } catch (error) {
      return errorText(error);
    }
  }

  close(): void {
    this.link.close();
    this.#sentinel.close();
  }
}

function linkTo(host: string, port: number): RedisLink {
  return new RedisLink({ to: { host, port }, connectTimeout_ms: ASK_MS, backoff: { base_ms: 20, max_ms: 100 } });
}
