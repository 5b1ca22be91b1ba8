/** A client as applications are, which counts: it knows a single address. */
import { RedisLink } from '../redis/link.js';
import { Ledger } from './ledger.js';

/** 500 writes a second. */
const PERIOD_MS = 2;
const CONNECT_TIMEOUT_MS = 1_000;
/** Longer than the proxy holds a write for a master that is being replaced. */
const WRITE_DEADLINE_MS = 6_000;

export class Writer {
  readonly ledger = new Ledger(performance.now());
  readonly #link: RedisLink;
  #timer: NodeJS.Timeout | null;
  #busy = false;

  constructor(to: { readonly host: string; readonly port: number }) {
    this.#link = new RedisLink({
      to,
      connectTimeout_ms: CONNECT_TIMEOUT_MS,
      backoff: { base_ms: 10, max_ms: 50 },
    });
    this.#timer = setInterval(() => void this.#tick(), PERIOD_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#link.close();
  }

  async #tick(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await this.#write();
    } finally {
      this.#busy = false;
    }
  }

  async #write(): Promise<void> {
    const number = this.ledger.begin();
    const reply = await this.#link
      .request(['SET', `demo:${number}`, String(number)], { deadline_ms: WRITE_DEADLINE_MS })
      .catch(() => null);
    if (reply === 'OK') this.ledger.acknowledge(number, performance.now());
    else if (this.#timer !== null) this.ledger.fail();
  }
}
