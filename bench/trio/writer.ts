/** A client as applications are, which counts: it asks the Sentinels for the master and writes there. */

import { Ledger } from '../../src/demo/ledger.js';
import { type ReadBack, readBack } from '../../src/demo/read-back.js';
import { RedisLink } from '../../src/redis/link.js';
import { masterPort, type Node, type Servers } from './servers.js';

const HOST = '127.0.0.1';
/** 500 writes a second. */
const PERIOD_MS = 2;
const CONNECT_TIMEOUT_MS = 1_000;

export class Writer {
  readonly ledger = new Ledger(performance.now());
  readonly #servers: Servers;
  readonly #deadline_ms: number;
  /** The master as the Sentinels told. */
  #master: { readonly port: number; readonly link: RedisLink } | null = null;
  #timer: NodeJS.Timeout | null = null;
  #busy = false;

  /** @param deadline_ms how long a write is waited for before the Sentinels are asked again */
  constructor(servers: Servers, deadline_ms: number) {
    this.#servers = servers;
    this.#deadline_ms = deadline_ms;
    this.#timer = setInterval(() => void this.#tick(), PERIOD_MS);
  }

  /** Whether what it writes now reaches this master. */
  reaches(master: Node): boolean {
    return this.#master?.port === master.port;
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#master?.link.close();
    this.#master = null;
  }

  /** @returns null when it cannot be read */
  readBack(master: Node): Promise<ReadBack | null> {
    return readBack(this.ledger, master.link);
  }

  #writeTo(port: number): void {
    if (this.#master?.port === port || this.#timer === null) return;
    this.#master?.link.close();
    const link = new RedisLink({
      to: { host: HOST, port },
      connectTimeout_ms: CONNECT_TIMEOUT_MS,
      backoff: { base_ms: 10, max_ms: 50 },
    });
    this.#master = { port, link };
  }

  async #tick(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      if (this.#master === null) await this.#lookUp();
      else await this.#write(this.#master.link);
    } finally {
      this.#busy = false;
    }
  }

  async #lookUp(): Promise<void> {
    for (const sentinel of this.#servers.sentinels) {
      const port = await masterPort(sentinel);
      if (port !== null) return this.#writeTo(port);
    }
  }

  async #write(link: RedisLink): Promise<void> {
    const number = this.ledger.begin();
    const reply = await link
      .request(['SET', `demo:${number}`, String(number)], { deadline_ms: this.#deadline_ms })
      .catch(() => null);
    if (reply === 'OK') {
      this.ledger.acknowledge(number, performance.now());
      return;
    }
    if (this.#timer === null) return;
    this.ledger.fail();
    // Refused, cut off or too late: ask the Sentinels again, as their clients do.
    if (this.#master?.link === link) {
      link.close();
      this.#master = null;
    }
  }
}
