/** One of several proxy processes that share their listening sockets: it does what its parent says. */
import type { NutcrackerConfig } from '../../config/nutcracker-types.js';
import { InheritedDoors } from '../inherited-doors.js';
import type { ProxyLog } from '../log.js';
import { ProxyServer } from '../proxy-server.js';
import { serveOrders, tellDoubt } from './orders.js';

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
  const inherited = new InheritedDoors();
  const proxy = new ProxyServer({ version, log, doubted: tellDoubt, inherited });
  let started = false;
  serveOrders(
    {
      log,
      proxy: () => (started ? proxy : null),
      configure: async ({ config, workers }) => {
        const share = shareOf(config, workers);
        if (started) await proxy.reload(share);
        else await proxy.start(share);
        started = true;
      },
    },
    inherited,
  );
  // The process ends by the order to stop, or with the channel to its parent.
  return new Promise(() => {});
}
