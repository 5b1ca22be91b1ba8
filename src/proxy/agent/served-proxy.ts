/** What the proxy process of an agent serves: the proxy, in this process or in workers of it, and its statistics. */
import type { Server } from 'node:net';
import type { NutcrackerConfig } from '../../config/nutcracker-types.js';
import type { TellDoubt } from '../follow/route-follower.js';
import { type Hold, type Route, RouteTable } from '../follow/routes.js';
import type { InheritedDoors } from '../inherited-doors.js';
import type { DoorHandle } from '../listener.js';
import type { ProxyLog } from '../log.js';
import type { Snapshot } from '../measure/snapshot.js';
import { ProxyServer } from '../proxy-server.js';
import { createStatsServer } from '../stats-server.js';
import type { Order } from '../workers/messages.js';
import type { RunningProxy } from '../workers/orders.js';
import { Supervisor } from '../workers/supervisor.js';

/** As nutcracker's, whose statistics these are. */
export const VERSION = '0.5.0';

interface ConfiguredProxy extends RunningProxy {
  start(config: NutcrackerConfig): Promise<void>;
  reload(config: NutcrackerConfig): Promise<void>;
}

export class ServedProxy implements RunningProxy {
  readonly #log: ProxyLog;
  readonly #doubted: TellDoubt;
  readonly #routes = new RouteTable();
  readonly #inherited: InheritedDoors;
  #proxy: ConfiguredProxy | null = null;
  #workers: number | null = null;
  #stats: Server | null = null;
  #statsAt = '';

  /** @param inherited doors that the proxy before this one has opened: all are there before the first configuration */
  constructor(log: ProxyLog, doubted: TellDoubt, inherited: InheritedDoors) {
    this.#log = log;
    this.#doubted = doubted;
    this.#inherited = inherited;
  }

  /** How many processes share the work; null before it has been configured. */
  get workers(): number | null {
    return this.#workers;
  }

  get known(): readonly Route[] {
    return this.#routes.all;
  }

  /** @throws {Error} (rejects) when it cannot listen; then nothing has changed */
  async configure({ config, workers, stats }: Extract<Order, { kind: 'configure' }>): Promise<void> {
    if (this.#proxy === null) {
      const proxy = this.#newProxy(workers);
      proxy.routes(this.#routes.all);
      await proxy.start(config);
      this.#proxy = proxy;
      this.#workers = workers;
    } else {
      await this.#proxy.reload(config);
    }
    await this.#serveStats(stats, this.#proxy);
  }

  #newProxy(workers: number): ConfiguredProxy {
    const options = { version: VERSION, log: this.#log, doubted: this.#doubted, inherited: this.#inherited };
    return workers > 1 ? new Supervisor({ ...options, workers }) : new ProxyServer(options);
  }

  /** Statistics are no reason not to serve: without their address, only the log says so. */
  async #serveStats(at: { readonly host: string; readonly port: number } | null, proxy: RunningProxy): Promise<void> {
    const where = at === null ? '' : `${at.host}:${at.port}`;
    if (where === this.#statsAt) return;
    this.closeStats();
    this.#statsAt = where;
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

  closeStats(): void {
    this.#stats?.close();
    this.#stats = null;
    this.#statsAt = '';
  }

  routes(routes: readonly Route[]): void {
    for (const route of routes) this.#routes.take(route);
    this.#proxy?.routes(routes);
  }

  hold(hold: Hold): void {
    this.#proxy?.hold(hold);
  }

  lendDoors<T>(use: (doors: ReadonlyMap<string, DoorHandle>) => Promise<T>): Promise<T> {
    return this.#proxy === null ? use(new Map()) : this.#proxy.lendDoors(use);
  }

  async closeDoors(): Promise<void> {
    this.closeStats();
    await this.#proxy?.closeDoors();
  }

  async snapshot(): Promise<Snapshot> {
    return (await this.#proxy?.snapshot()) ?? { version: VERSION, startedAt_ms: 0, pools: [] };
  }

  async logLevelChanged(): Promise<void> {
    if (this.#proxy instanceof Supervisor) await this.#proxy.logLevelChanged();
  }

  async stop(drain_ms: number): Promise<void> {
    this.closeStats();
    await this.#proxy?.stop(drain_ms);
  }
}
