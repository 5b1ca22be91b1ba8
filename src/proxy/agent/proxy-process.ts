/**
 * The program of the proxy that an agent starts: in one process, or as the parent of several. It has no file, no signals
 * and no terminal; the agent's channel says everything, and its log goes to stderr, which the agent reads.
 *
 * When the agent is gone, so is the proxy, in order: it takes no new clients at once, so that the next agent's proxy has
 * the address; clients that are there are served by the last routes while that one comes up, and then let go, each when it
 * has been answered.
 */
import type { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NutcrackerConfig } from '../../config/nutcracker-types.js';
import { INFO, ProxyLog } from '../log.js';
import { ProxyServer } from '../proxy-server.js';
import { createStatsServer } from '../stats-server.js';
import { type Order, WORKER_MARK } from '../workers/messages.js';
import { type RunningProxy, serveOrders, tellDoubt } from '../workers/orders.js';
import { Supervisor } from '../workers/supervisor.js';
import { runWorker } from '../workers/worker.js';

/** As nutcracker's, whose statistics these are. */
const VERSION = '0.5.0';

/** How long clients go on after the agent has gone, and how long what they have asked for may take then. */
const ORPHAN_MS = 3_000;
const ORPHAN_DRAIN_MS = 5_000;

interface AgentsProxy extends RunningProxy {
  start(config: NutcrackerConfig): Promise<void>;
  reload(config: NutcrackerConfig): Promise<void>;
}

class ProxyProcess {
  readonly #log: ProxyLog;
  #proxy: AgentsProxy | null = null;
  #stats: Server | null = null;
  #statsAt = '';

  constructor(log: ProxyLog) {
    this.#log = log;
  }

  get proxy(): AgentsProxy | null {
    return this.#proxy;
  }

  async configure({ config, workers, stats }: Extract<Order, { kind: 'configure' }>): Promise<void> {
    if (this.#proxy === null) {
      const proxy = this.#newProxy(workers);
      await proxy.start(config);
      this.#proxy = proxy;
    } else {
      await this.#proxy.reload(config);
    }
    await this.#serveStats(stats, this.#proxy);
  }

  #newProxy(workers: number): AgentsProxy {
    const options = { version: VERSION, log: this.#log, doubted: tellDoubt };
    return workers > 1 ? new Supervisor({ ...options, workers }) : new ProxyServer(options);
  }

  /** Statistics are no reason not to serve: without their address, only the log says so. */
  async #serveStats(at: { readonly host: string; readonly port: number } | null, proxy: RunningProxy): Promise<void> {
    const where = at === null ? '' : `${at.host}:${at.port}`;
    if (where === this.#statsAt) return;
    this.#statsAt = where;
    this.#stats?.close();
    this.#stats = null;
    if (at === null) return;
    const server = createStatsServer(proxy);
    this.#stats = server;
    await new Promise<void>((resolve) => {
      server.once('listening', resolve);
      server.on('error', (error) => {
        this.#log.error(`no statistics at ${where}: ${error.message}`);
        this.#statsAt = '';
        resolve();
      });
      server.listen(at.port, at.host);
    });
  }

  async logLevelChanged(): Promise<void> {
    if (this.#proxy instanceof Supervisor) await this.#proxy.logLevelChanged();
  }

  /** The agent has gone. */
  async orphaned(): Promise<void> {
    this.#log.warn('the agent has gone: no new clients are taken, and those that are there are let go');
    this.#stats?.close();
    this.#proxy?.closeDoors();
    await sleep(ORPHAN_MS);
    await this.#proxy?.stop(ORPHAN_DRAIN_MS);
  }
}

function main(log: ProxyLog): void {
  // Ending all processes of a service at once must not take the clients' answers: this one ends with the agent.
  process.on('SIGTERM', () => {});
  const self = new ProxyProcess(log);
  process.once('disconnect', () => {
    self.orphaned().finally(() => process.exit(0));
  });
  serveOrders({
    log,
    proxy: () => self.proxy,
    configure: (order) => self.configure(order),
    logChanged: () => self.logLevelChanged(),
  });
}

const log = new ProxyLog(INFO, null, 'journal');
if (process.env[WORKER_MARK] === undefined) main(log);
else void runWorker(VERSION, log);
