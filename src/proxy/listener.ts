/** The listening socket of a pool, and the life of its client connections. */
import cluster from 'node:cluster';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import type { ListenOptions, Server, Socket } from 'node:net';
import type { PoolConfig } from '../config/nutcracker-types.js';
import { createListener } from './accept.js';
import { Client } from './forward/client.js';
import type { Pool } from './forward/pool.js';

export class Listener {
  #pool: Pool;
  readonly #server: Server;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#server = createListener({
      tcpKeepalive: pool.config.tcpKeepalive,
      accepted: (socket) => this.#accepted(socket),
    });
  }

  /** New clients go to this pool from now on. */
  serve(pool: Pool): void {
    this.#pool = pool;
  }

  /** Where it listens, once it does: the port that was asked for, or the one the system chose. */
  get port(): number | null {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : null;
  }

  /** @throws {Error} when the address cannot be listened on. */
  listen(): Promise<void> {
    const { config } = this.#pool;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(listenOptions(config), () => {
        this.#server.off('error', reject);
        if (config.listen.kind === 'unix' && config.listen.mode !== null) {
          chmodSync(config.listen.path, config.listen.mode);
        }
        resolve();
      });
    });
  }

  #accepted(socket: Socket): Client | null {
    const pool = this.#pool;
    const slot = pool.takeSlot();
    if (slot === null) {
      pool.log.warn(`${pool.config.name}: refused a client, ${pool.config.clientConnections} are connected`);
      return null;
    }
    const client = new Client(slot, socket, pool);
    pool.clients[slot] = client;
    pool.stats.client_connections++;
    pool.currentConnections++;
    pool.totalConnections++;
    socket.on('end', () => {
      pool.stats.client_eof++;
      pool.turn.begin();
      client.end();
    });
    socket.on('error', () => {
      pool.stats.client_err++;
    });
    socket.on('close', () => {
      pool.stats.client_connections--;
      // It may have been handed to another pool meanwhile.
      client.pool.currentConnections--;
      pool.turn.begin();
      client.closed();
    });
    return client;
  }

  /** Takes no new clients from now on; those that are connected stay. */
  close(): void {
    this.#server.close();
  }
}

function listenOptions(config: PoolConfig): ListenOptions {
  const { listen, backlog } = config;
  if (listen.kind === 'tcp') {
    const reuse = config.reusePort ? { reusePort: true } : {};
    return { host: listen.host, port: listen.port, backlog, ...reuse };
  }
  // A worker's socket is its parent's, and other workers listen on it as well.
  if (cluster.isPrimary) removeStaleSocket(listen.path);
  return { path: listen.path, backlog };
}

/** A socket file outlives its process, and would then be in the way of the next. */
export function removeStaleSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) unlinkSync(path);
}
