/** A listening socket of a pool, and the life of its client connections. */
import cluster from 'node:cluster';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import type { ListenOptions, Server, Socket } from 'node:net';
import type { PoolConfig, SocketAddress } from '../config/nutcracker-types.js';
import { type AcceptOptions, createListener } from './accept.js';
import { Client } from './forward/client.js';
import type { Pool } from './forward/pool.js';
import { SecureDoor } from './secure-door.js';

/** One address of a pool. */
export interface Door {
  readonly address: SocketAddress;
  readonly secure: boolean;
}

/** Where a pool listens. */
export function doorsOf({ listen, listenTls }: PoolConfig): Door[] {
  const doors: Door[] = [];
  if (listen !== null) doors.push({ address: listen, secure: false });
  if (listenTls !== null) doors.push({ address: listenTls, secure: true });
  return doors;
}

/** An open listening socket without anybody who accepts: Node's own handle of it, which can travel to another process. */
export interface DoorHandle {
  close(): void;
}

/** The name of a door between processes: the same address, the same door. */
export function doorName({ address, secure }: Door): string {
  const where = address.kind === 'tcp' ? `${address.host}:${address.port}` : address.path;
  return `${secure ? 'tls' : 'plain'} ${where}`;
}

interface WithHandle {
  readonly _handle?: DoorHandle | null;
}

export class Listener {
  readonly door: Door;
  #pool: Pool;
  readonly #server: Server;
  readonly #secure: SecureDoor | null;

  constructor(pool: Pool, door: Door) {
    this.#pool = pool;
    this.door = door;
    const options: AcceptOptions = {
      tcpKeepalive: pool.config.tcpKeepalive,
      accepted: (socket) => this.#accepted(socket),
    };
    const { clientTls } = pool.config;
    this.#secure =
      door.secure && clientTls !== null
        ? new SecureDoor(clientTls, options, (why) => this.#pool.log.info(`${this.#pool.config.name}: ${why}`))
        : null;
    this.#server = this.#secure?.createListener() ?? createListener(options);
  }

  /** New clients go to this pool from now on. */
  serve(pool: Pool): void {
    this.#pool = pool;
    if (pool.config.clientTls !== null) this.#secure?.renew(pool.config.clientTls);
  }

  /** Where it listens, once it does: the port that was asked for, or the one the system chose. */
  get port(): number | null {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : null;
  }

  /** What another process needs in order to accept here as well; null while it is closed. */
  get handle(): DoorHandle | null {
    return (this.#server as WithHandle)._handle ?? null;
  }

  /**
   * @param inherited the door as another process has opened it; null to open it
   * @throws {Error} when the address cannot be listened on.
   */
  listen(inherited: DoorHandle | null = null): Promise<void> {
    const { address } = this.door;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(inherited ?? listenOptions(address, this.#pool.config), () => {
        this.#server.off('error', reject);
        if (address.kind === 'unix' && address.mode !== null) chmodSync(address.path, address.mode);
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

function listenOptions(listen: SocketAddress, { backlog, reusePort }: PoolConfig): ListenOptions {
  if (listen.kind === 'tcp') {
    const reuse = reusePort ? { reusePort: true } : {};
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
