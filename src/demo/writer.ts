/**
 * A client as applications are, which counts: one that knows a single address, or one that asks the Sentinels for the
 * master and writes there.
 */
import { RedisLink } from '../redis/link.js';
import { Ledger } from './ledger.js';
import { GROUP, masterPort, type Node, type Servers } from './nodes.js';

const HOST = '127.0.0.1';
/** 500 writes a second. */
const PERIOD_MS = 2;
const CONNECT_TIMEOUT_MS = 1_000;
const READ_BATCH = 1_000;
const READ_DEADLINE_MS = 5_000;

export interface WriterOptions {
  /** The port that it writes to, whoever the master is; null when it asks the Sentinels. */
  readonly address: number | null;
  /** It listens for +switch-master; many clients ask the Sentinels only when their connection breaks. */
  readonly subscribes: boolean;
  /** How long a write is waited for before the Sentinels are asked again. */
  readonly deadline_ms: number;
}

export class Writer {
  readonly ledger = new Ledger(performance.now());
  readonly #servers: Servers;
  readonly #deadline_ms: number;
  readonly #listeners: RedisLink[] = [];
  readonly #address: number | null;
  /** Where it writes: the one address, or the master as the Sentinels told. */
  #master: { readonly port: number; readonly link: RedisLink } | null = null;
  #timer: NodeJS.Timeout | null = null;
  #busy = false;

  constructor(servers: Servers, options: WriterOptions) {
    this.#servers = servers;
    this.#deadline_ms = options.deadline_ms;
    this.#address = options.address;
    if (options.subscribes) for (const sentinel of servers.sentinels) this.#listenTo(sentinel);
    this.#timer = setInterval(() => void this.#tick(), PERIOD_MS);
    if (options.address !== null) this.#writeTo(options.address);
  }

  /** Whether what it writes now reaches this master. */
  reaches(master: Node): boolean {
    return this.#address !== null || this.#master?.port === master.port;
  }

  /** Where it writes now. */
  get target(): string {
    return this.#master === null ? 'looking for the master' : `${HOST}:${this.#master.port}`;
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const link of this.#listeners) link.close();
    this.#master?.link.close();
    this.#master = null;
  }

  /**
   * Reads back every acknowledged write from the master. @returns how many were looked for, and how many more are lost
   * than were known before; null when there is no master to read from.
   */
  async readBack(master: Node): Promise<{ readonly read: number; readonly lost: number } | null> {
    const end = this.ledger.end;
    let read = 0;
    let lost = 0;
    for (let from = 0; from < end; from += READ_BATCH) {
      const numbers = this.ledger.acknowledgedIn(from, Math.min(end, from + READ_BATCH));
      if (numbers.length === 0) continue;
      const keys = numbers.map((number) => `demo:${number}`);
      const reply = await master.link.request(['MGET', ...keys], { deadline_ms: READ_DEADLINE_MS }).catch(() => null);
      if (!Array.isArray(reply)) return null;
      read += numbers.length;
      for (const [index, number] of numbers.entries()) {
        if (reply[index] === String(number)) continue;
        this.ledger.lose(number);
        lost += 1;
      }
    }
    return { read, lost };
  }

  /** +switch-master is what tells a client, before any time-out of its own. */
  #listenTo(sentinel: Node): void {
    const link = new RedisLink({
      to: { host: HOST, port: sentinel.port },
      connectTimeout_ms: CONNECT_TIMEOUT_MS,
      backoff: { base_ms: 50, max_ms: 500 },
      whileDown: 'wait',
    });
    this.#listeners.push(link);
    const handler = (message: string): void => {
      const [name, , , , port] = message.split(' ');
      if (name === GROUP) this.#writeTo(Number(port));
    };
    link.subscribe('+switch-master', handler, { deadline_ms: READ_DEADLINE_MS }).catch(() => {});
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
    // Refused, cut off or too late: ask the Sentinels again, as their clients do. Who knows one address stays there.
    if (this.#master?.link === link && this.#address === null) {
      link.close();
      this.#master = null;
    }
  }
}
