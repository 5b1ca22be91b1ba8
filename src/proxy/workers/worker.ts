/** One of several proxy processes that share their listening sockets: it does what its parent says. */
import type { NutcrackerConfig } from '../../config/nutcracker-types.js';
import type { ProxyLog } from '../log.js';
import type { Snapshot } from '../measure/snapshot.js';
import { ProxyServer } from '../proxy-server.js';
import { readProxyConfig } from '../read-config.js';
import { type Answer, type Letter, type Order, READY } from './messages.js';

/** Signals that a terminal or an operator sends to the whole group: the parent says what follows from them. */
const LEFT_TO_PARENT: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGINT', 'SIGTTIN', 'SIGTTOU'];

class Worker {
  readonly #log: ProxyLog;
  readonly #proxy: ProxyServer;
  #started = false;

  constructor(version: string, log: ProxyLog) {
    this.#log = log;
    this.#proxy = new ProxyServer({ version, log });
  }

  /** @throws {Error} when the order cannot be carried out; then nothing has changed. */
  async obey(order: Order): Promise<Snapshot | null> {
    switch (order.kind) {
      case 'configure':
        await this.#configure(shareOf(readProxyConfig(order.text, order.file), order.workers));
        return null;
      case 'snapshot':
        return this.#proxy.snapshot();
      case 'log-level':
        this.#log.setLevel(order.level);
        return null;
      case 'reopen-log':
        this.#log.reopen();
        return null;
      case 'stop':
        await this.#proxy.stop();
        return null;
    }
  }

  async #configure(config: NutcrackerConfig): Promise<void> {
    if (this.#started) {
      await this.#proxy.reload(config);
    } else {
      await this.#proxy.start(config);
      this.#started = true;
    }
  }
}

/** A pool's clients are limited in all workers together. */
function shareOf(config: NutcrackerConfig, workers: number): NutcrackerConfig {
  const pools = config.pools.map((pool) => ({
    ...pool,
    clientConnections: Math.ceil(pool.clientConnections / workers),
  }));
  return { ...config, pools };
}

/** Serves until the parent says stop, or is gone. */
export function runWorker(version: string, log: ProxyLog): Promise<never> {
  for (const signal of LEFT_TO_PARENT) process.on(signal, () => {});
  const worker = new Worker(version, log);
  process.on('message', ({ id, order }: Letter) => {
    const answer = (error: string | null, snapshot: Snapshot | null): void => {
      const message: Answer = { id, error, snapshot };
      process.send?.(message, () => {
        if (order.kind === 'stop') process.exit(0);
      });
    };
    worker.obey(order).then(
      (snapshot) => answer(null, snapshot),
      (error: unknown) => answer(error instanceof Error ? error.message : String(error), null),
    );
  });
  const ready: Answer = { id: READY, error: null, snapshot: null };
  process.send?.(ready);
  // The process ends by the order to stop, or with the channel to its parent.
  return new Promise(() => {});
}
