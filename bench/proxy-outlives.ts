#!/usr/bin/env -S npx tsx
/**
 * What clients notice when the agent of their proxy is away and the next one comes: of the same build, of another, and with
 * another number of workers. One client asks all the time on one connection, and connects again when that is closed;
 * others connect all the time, for one request each.
 */
import { connect, type Socket } from 'node:net';
import { parseNutcracker } from '../src/config/nutcracker.js';
import { type AgentProxyOptions, startAgentProxy } from '../src/proxy/agent/agent-proxy.js';
import { buildId } from '../src/proxy/agent/build-id.js';
import { Cleanup } from '../test/support/cleanup.js';
import { freePort } from '../test/support/free-port.js';
import { startRedis } from '../test/support/redis-server.js';
import { tempDir } from '../test/support/temp-dir.js';
import { median, readOptions, table } from './options.js';

const options = readOptions({ rounds: '5' });
const GET = '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n';
/** Between changes, so that each is seen by itself. */
const CALM_MS = 2_000;

const dist = new URL('../dist/', import.meta.url).pathname;
const program = `${dist}proxy/agent/proxy-process.js`;
// Once, since the clients share this process and would wait meanwhile.
const build = await buildId(dist);

/** Notes the longest time without a reply. */
class Client {
  longest_ms = 0;
  closed = 0;
  refused = 0;
  #last_ms = performance.now();
  #over = false;
  #socket: Socket | null = null;

  constructor(
    readonly port: number,
    readonly stays: boolean,
  ) {
    this.#connect();
  }

  #connect(): void {
    const socket = connect(this.port, '127.0.0.1', () => socket.write(GET));
    this.#socket = socket;
    let answered = false;
    socket.on('data', () => {
      const now = performance.now();
      this.longest_ms = Math.max(this.longest_ms, now - this.#last_ms);
      this.#last_ms = now;
      answered = true;
      if (this.stays) socket.write(GET);
      else socket.end();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#over) return;
      if (this.stays && answered) this.closed++;
      if (!answered) this.refused++;
      this.#connect();
    });
  }

  /** Counts from here. */
  mark(): void {
    this.longest_ms = 0;
    this.closed = 0;
    this.refused = 0;
    this.#last_ms = performance.now();
  }

  end(): void {
    this.#over = true;
    this.#socket?.destroy();
  }
}

const calm = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, CALM_MS));

async function round(change: string, cleanup: Cleanup, port: number, redis: number): Promise<number[]> {
  const directory = tempDir(cleanup);
  const text = `bench:\n  listen: 127.0.0.1:${port}\n  redis: true\n  servers:\n    - 127.0.0.1:1:1 g\n`;
  const { file, pools } = parseNutcracker(text, 'bench');
  const target = { kind: 'group', group: 'g' } as const;
  const config = {
    file,
    pools: pools.map((pool) => ({ ...pool, servers: pool.servers.map((server) => ({ ...server, target })) })),
  };
  const agent = async (more: Partial<AgentProxyOptions>) => {
    const base = { config, workers: 1, stats: null, directory, alone: null, log: () => {}, program, build };
    const proxy = await startAgentProxy({ ...base, ...more });
    proxy.route({ group: 'g', epoch: 1, host: '127.0.0.1', port: redis });
    return proxy;
  };
  const first = await agent({});
  const clients = [new Client(port, true), new Client(port, false)];
  await calm();
  for (const client of clients) client.mark();
  await first.letGo();
  if (change === 'nothing') await calm();
  const next = change === 'nothing' ? null : await agent(CHANGES[change] ?? {});
  await calm();
  const found = clients.flatMap(({ longest_ms, closed, refused }) => [longest_ms, closed, refused]);
  for (const client of clients) client.end();
  await (next ?? (await agent({}))).stop(0);
  return found;
}

const CHANGES: Readonly<Record<string, Partial<AgentProxyOptions>>> = {
  nothing: {},
  'an agent of the same build': {},
  'an agent of another build': { build: 'another' },
  'an agent with 2 workers instead of 1': { workers: 2 },
};

const HEAD = [
  'comes',
  'longest pause of a client that stays, ms',
  'its connection closed',
  'longest pause of comers, ms',
  'refused',
];

const cleanup = new Cleanup();
try {
  const redis = await startRedis(cleanup);
  const rows: string[][] = [];
  for (const change of Object.keys(CHANGES)) {
    const rounds: number[][] = [];
    for (let i = 0; i < Number(options.rounds); i++)
      rounds.push(await round(change, cleanup, await freePort(), redis.port));
    const of = (at: number): number => median(rounds.map((each) => each[at] ?? Number.NaN));
    rows.push([change, of(0).toFixed(0), String(of(1)), of(3).toFixed(0), String(of(5))]);
  }
  console.log(table(HEAD, rows));
} finally {
  await cleanup.run();
}
