/** A proxy inside the test's own process, and a client that speaks bytes. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { parseNutcracker } from '../../src/config/nutcracker.js';
import type { Pool } from '../../src/proxy/forward/pool.js';
import { RedisReplyScanner } from '../../src/proxy/framing/redis-reply.js';
import { ProxyLog } from '../../src/proxy/log.js';
import { ProxyServer } from '../../src/proxy/proxy-server.js';
import type { Cleanup } from '../support/cleanup.js';
import { freePort } from '../support/free-port.js';
import { until } from '../support/until.js';

export interface TestProxy {
  readonly server: ProxyServer;
  readonly port: number;
  readonly pool: Pool;
}

/** Starts a proxy with one pool; `lines` are the pool's keys without `listen`. */
export async function startProxy(cleanup: Cleanup, lines: readonly string[]): Promise<TestProxy> {
  const port = await freePort();
  const text = ['pool:', `listen: 127.0.0.1:${port}`, ...lines].join('\n  ');
  return startProxyFrom(cleanup, text);
}

/** Starts a proxy with one pool from the text of its file. */
export async function startProxyFrom(cleanup: Cleanup, text: string): Promise<TestProxy> {
  const server = new ProxyServer({ version: '0.5.0', log: new ProxyLog(0, null) });
  await server.start(parseNutcracker(`${text}\n`, 'test.yml'));
  cleanup.add(() => server.stop());
  const [pool] = server.pools();
  if (pool === undefined) throw new Error('no pool');
  return { server, port: server.port(pool.config.name) ?? 0, pool };
}

export interface RoutedProxy extends TestProxy {
  /** Says where the master of a group is. */
  route(epoch: number, redis: { readonly port: number }, group?: string): void;
}

/** Starts a proxy with one pool of groups, which follows routes; `lines` are more keys of the pool. */
export async function startRouted(
  cleanup: Cleanup,
  lines: readonly string[] = [],
  groups: readonly string[] = ['one'],
): Promise<RoutedProxy> {
  const keys = [`listen: 127.0.0.1:${await freePort()}`, 'redis: true', 'sentinels: [127.0.0.1:1]', ...lines];
  const text = ['pool:', ...keys, ...servers(...groups.map((group) => `${group}:1`))].join('\n  ');
  const { file, pools } = parseNutcracker(`${text}\n`, 'test.yml');
  const routed = pools.map((pool) => ({
    ...pool,
    sentinels: [],
    servers: pool.servers.map((server) => ({ ...server, target: { kind: 'group' as const, group: server.label } })),
  }));
  const server = new ProxyServer({ version: '0.5.0', log: new ProxyLog(0, null) });
  await server.start({ file, pools: routed });
  cleanup.add(() => server.stop());
  const [pool] = server.pools();
  if (pool === undefined) throw new Error('no pool');
  const route: RoutedProxy['route'] = (epoch, { port }, group = 'one') =>
    server.routes([{ group, epoch, host: '127.0.0.1', port }]);
  return { server, port: server.port('pool') ?? 0, pool, route };
}

export function servers(...entries: readonly string[]): string[] {
  return ['servers:', ...entries.map((entry) => `  - ${entry}`)];
}

/** A connection that writes and reads bytes as they are. */
export class Talk {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  closed = false;

  constructor(port: number, cleanup: Cleanup, socket = connect(port, '127.0.0.1')) {
    this.socket = socket;
    this.socket.setNoDelay(true);
    this.socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
    });
    cleanup.add(() => this.socket.destroy());
  }

  send(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** Waits for exactly these bytes as the next ones. */
  async gets(text: string, deadline_ms = 10_000): Promise<void> {
    const wanted = Buffer.from(text);
    const whole = () => this.#received.length >= wanted.length || this.closed;
    await until(whole, { what: `${JSON.stringify(text.slice(0, 200))}`, deadline_ms, interval_ms: 1 }).catch(
      (error: Error) => {
        throw new Error(
          `${error.message}; received ${JSON.stringify(this.#received.toString('latin1').slice(0, 300))}`,
        );
      },
    );
    const got = this.#received.subarray(0, wanted.length);
    if (!got.equals(wanted)) {
      throw new Error(
        `expected ${JSON.stringify(text.slice(0, 300))}, got ${JSON.stringify(this.#received.toString('latin1').slice(0, 300))}`,
      );
    }
    this.#received = this.#received.subarray(wanted.length);
  }

  /** Waits for one line and returns it without its end. */
  async line(deadline_ms = 10_000): Promise<string> {
    await until(() => this.#received.includes('\r\n') || this.closed, { what: 'a line', deadline_ms, interval_ms: 1 });
    const end = this.#received.indexOf('\r\n');
    const line = this.#received.toString('latin1', 0, end === -1 ? this.#received.length : end);
    this.#received = this.#received.subarray(end === -1 ? this.#received.length : end + 2);
    return line;
  }

  /** Waits for one whole reply and returns it as it came. */
  async reply(deadline_ms = 10_000): Promise<string> {
    const end = (): number => {
      const scanner = new RedisReplyScanner();
      const at = scanner.scan(this.#received, 0, this.#received.length);
      return scanner.complete ? at : 0;
    };
    await until(() => end() > 0 || this.closed, { what: 'a reply', deadline_ms, interval_ms: 1 });
    const reply = this.#received.toString('latin1', 0, end());
    this.#received = this.#received.subarray(end());
    return reply;
  }

  async untilClosed(): Promise<void> {
    if (!this.closed) await once(this.socket, 'close');
  }
}

/** A request as an array of bulk strings. */
export function req(...args: readonly (string | number)[]): string {
  return reqOf(args);
}

/** The same for any number of arguments. */
export function reqOf(args: readonly (string | number)[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`).join('')}`;
}

export function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

/** A server of which the test decides every byte. */
export async function startFake(
  cleanup: Cleanup,
  connected: (socket: Socket) => void,
): Promise<{ readonly port: number; readonly sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    connected(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.add(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return { port: address.port, sockets };
}
