/** The side that clients and other Sentinels connect to: who may come in, who is connected, who is told of events. */
import type { Server, Socket } from 'node:net';
import { placeName } from '../../base/place.js';
import type { AclFileAccess } from '../../redis/acl/acl-command.js';
import { AclLog } from '../../redis/acl/acl-log.js';
import type { AclUsers } from '../../redis/acl/acl-users.js';
import type { LogLevel } from '../core/io.js';
import { refusalFor } from './admission.js';
import { Client, type ClientHooks } from './client.js';
import { clientInfo } from './client-command.js';
import type { Backend, ScriptsView, ServerAbout, ServerContext } from './context.js';
import { CommandNames, Dispatcher } from './dispatch.js';
import { type ListenOptions, listenAll } from './listen.js';
import { isOpen } from './log-in.js';
import { PubSub } from './pubsub.js';
import { ServerStats } from './stats.js';

const SWEEP_PERIOD_MS = 1_000;

export interface ServerOptions {
  readonly listen: ListenOptions;
  readonly protectedMode: boolean;
  readonly maxclients: number;
  /** Idle clients are closed after this; 0: never. */
  readonly timeout_ms: number;
  /** 0: never asked. */
  readonly keepalive_ms: number;
  readonly users: AclUsers;
  readonly aclFile: AclFileAccess | null;
  readonly aclLogLength: number;
  readonly renamedCommands: ReadonlyMap<string, string>;
  readonly about: ServerAbout;
  readonly scripts: ScriptsView;
  readonly log: (level: LogLevel, text: string) => void;
  readonly usersChanged: () => void;
  readonly shutdown: () => void;
}

export class SentinelServer {
  readonly #options: ServerOptions;
  readonly #clients = new Map<number, Client>();
  readonly #pubsub = new PubSub<Client>();
  readonly #stats = new ServerStats();
  #dispatcher: Dispatcher | null = null;
  #servers: Server[] = [];
  #sweeper: NodeJS.Timeout | null = null;
  #nextId = 1;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /**
   * Opens the listeners. Clients are served from `serve` on; who comes before waits.
   * @throws {ListenError}
   */
  async listen(): Promise<void> {
    this.#servers = await listenAll(this.#options.listen, (socket) => this.#accept(socket));
  }

  /** Begins to answer clients. */
  serve(backend: Backend): void {
    const { users, aclFile, aclLogLength, renamedCommands, about, scripts, log, shutdown } = this.#options;
    const context: ServerContext = {
      backend,
      scripts,
      users,
      aclLog: new AclLog(aclLogLength),
      aclFile,
      pubsub: this.#pubsub,
      clients: this.#clients,
      stats: this.#stats,
      about,
      log,
      usersChanged: () => this.#usersChanged(),
      shutdown,
    };
    this.#dispatcher = new Dispatcher(context, new CommandNames(renamedCommands));
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_PERIOD_MS).unref();
  }

  /** Tells subscribers of an event. */
  publish(channel: string, message: string): void {
    this.#pubsub.publish(channel, message);
  }

  /** Closes listeners and clients. */
  close(): void {
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    for (const server of this.#servers) server.close();
    for (const client of this.#clients.values()) client.destroy();
  }

  #accept(socket: Socket): void {
    const refusal = this.#refusal(socket);
    if (refusal !== null || this.#dispatcher === null) {
      this.#stats.rejected += 1;
      socket.on('error', () => socket.destroy());
      socket.end(refusal === null ? '' : `-${refusal}\r\n`, () => socket.destroy());
      return;
    }
    this.#stats.connections += 1;
    const { keepalive_ms, users, log } = this.#options;
    if (keepalive_ms > 0) socket.setKeepAlive(true, keepalive_ms);
    const id = this.#nextId++;
    const open = isOpen(users.get('default'));
    const client = new Client(id, socket, peerName(socket, this.#options.listen), localName(socket), open, this.#hooks);
    this.#clients.set(id, client);
    if (this.#clients.size % 1_000 === 0) log('verbose', `${this.#clients.size} clients are connected`);
  }

  #refusal(socket: Socket): string | null {
    const { protectedMode, maxclients, users } = this.#options;
    const open = isOpen(users.get('default'));
    const remoteAddress = socket.remoteAddress ?? '';
    return refusalFor({ remoteAddress, connected: this.#clients.size, maxclients, protectedMode, open });
  }

  readonly #hooks: ClientHooks = {
    onRequest: (client, args) => this.#dispatcher?.run(client, args),
    onGone: (client) => {
      this.#pubsub.forget(client);
      this.#clients.delete(client.id);
      this.#stats.input_bytes += client.received_bytes;
      this.#stats.output_bytes += client.sent_bytes;
    },
    onFault: (client, what) => this.#options.log('warning', `Closing a client: ${what} (${clientInfo(client)})`),
  };

  /** Closes who is idle or slow for too long. */
  #sweep(): void {
    const now = performance.now();
    const { timeout_ms, log } = this.#options;
    for (const client of this.#clients.values()) {
      if (client.unsent_bytes > 0) client.checkOutput(now);
      // Subscribers are silent by nature.
      if (timeout_ms === 0 || client.subscriptions > 0 || now - client.lastRequestAt < timeout_ms) continue;
      log('verbose', `Closing an idle client: ${clientInfo(client)}`);
      client.destroy();
    }
  }

  /** Clients of users that are gone may not stay. */
  #usersChanged(): void {
    const { users, usersChanged } = this.#options;
    for (const client of this.#clients.values()) {
      if (client.authenticated && users.get(client.user) === null) client.closeAfterReply();
    }
    usersChanged();
  }
}

function peerName(socket: Socket, { unixsocket }: ListenOptions): string {
  return addressName(socket.remoteAddress, socket.remotePort) ?? `${unixsocket}:0`;
}

function localName(socket: Socket): string {
  return addressName(socket.localAddress, socket.localPort) ?? '?:0';
}

function addressName(address: string | undefined, port: number | undefined): string | null {
  return address === undefined || port === undefined ? null : placeName({ host: address, port });
}
