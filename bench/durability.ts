/**
 * What it costs that a replica must have a write: `npm run bench:durability`. Clients write 64 bytes each and wait for the
 * acknowledgement: straight to the master, straight with a WAIT behind each write, through the proxy, and through the
 * proxy with `durability: replicated`. Systems alternate within each round; the medians are printed.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { parseNutcracker } from '../src/config/nutcracker.js';
import { startAgentProxy } from '../src/proxy/agent/agent-proxy.js';
import { RedisReplyScanner } from '../src/proxy/framing/redis-reply.js';
import { Cleanup } from '../test/support/cleanup.js';
import { freePort } from '../test/support/free-port.js';
import { startReplicated } from '../test/support/redis-server.js';
import { tempDir } from '../test/support/temp-dir.js';
import { until } from '../test/support/until.js';
import { median, readOptions, table } from './options.js';

const options = readOptions({ rounds: '5', seconds: '2', clients: '1,50,500' });

interface System {
  readonly name: string;
  readonly port: number;
  /** A WAIT behind each write. */
  readonly waits: boolean;
}

const VALUE = 'x'.repeat(64);
const WAIT = '*3\r\n$4\r\nWAIT\r\n$1\r\n1\r\n$4\r\n5000\r\n';

/** One client: writes, waits for the replies, writes again. */
class Writer {
  readonly took_ms: number[] = [];
  readonly #socket: Socket;
  readonly #scanner = new RedisReplyScanner();
  readonly #waits: boolean;
  readonly #key: string;
  #since_ms = 0;
  #replies = 0;
  running = true;

  constructor(id: number, { port, waits }: System) {
    this.#waits = waits;
    this.#key = `key:${id}`;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('connect', () => this.#write());
    this.#socket.on('data', (bytes) => this.#received(bytes));
  }

  #write(): void {
    this.#since_ms = performance.now();
    const set = `*3\r\n$3\r\nSET\r\n$${this.#key.length}\r\n${this.#key}\r\n$64\r\n${VALUE}\r\n`;
    this.#socket.write(this.#waits ? set + WAIT : set);
  }

  #received(bytes: Buffer): void {
    if (bytes[0] === 0x2d) throw new Error(bytes.toString());
    for (let at = 0; at < bytes.length; ) {
      at = this.#scanner.scan(bytes, at, bytes.length);
      if (this.#scanner.complete) this.#replies++;
    }
    if (this.#replies < (this.#waits ? 2 : 1)) return;
    this.#replies = 0;
    this.took_ms.push(performance.now() - this.#since_ms);
    if (this.running) this.#write();
  }

  async end(): Promise<void> {
    this.running = false;
    this.#socket.destroy();
    await once(this.#socket, 'close');
  }
}

async function run(system: System, clients: number): Promise<{ perSecond: number; p50: number; p99: number }> {
  const writers = Array.from({ length: clients }, (_, id) => new Writer(id, system));
  const started = performance.now();
  await new Promise((resolve) => setTimeout(resolve, Number(options.seconds) * 1000));
  const elapsed_s = (performance.now() - started) / 1000;
  await Promise.all(writers.map((writer) => writer.end()));
  const took = writers.flatMap(({ took_ms }) => took_ms).sort((a, b) => a - b);
  const at = (share: number): number => took[Math.floor(took.length * share)] ?? Number.NaN;
  return { perSecond: took.length / elapsed_s, p50: at(0.5), p99: at(0.99) };
}

const cleanup = new Cleanup();
try {
  const [master, replica] = await startReplicated(cleanup, { replicas: 1 });
  const counts = async () => (await master.info('replication'))['slave0']?.includes('state=online');
  await until(counts, { what: 'the master to count its replica' });
  const proxied = async (replicated: boolean): Promise<number> => {
    const port = await freePort();
    const text = `bench:\n  listen: 127.0.0.1:${port}\n  redis: true\n  servers:\n    - 127.0.0.1:1:1 g\n`;
    const { file, pools } = parseNutcracker(text, 'bench');
    const target = { kind: 'group', group: 'g' } as const;
    const config = {
      file,
      pools: pools.map((pool) => ({
        ...pool,
        servers: pool.servers.map((server) => ({ ...server, target, replicated })),
      })),
    };
    const program = new URL('../dist/proxy/agent/proxy-process.js', import.meta.url).pathname;
    const proxy = await startAgentProxy({
      config,
      workers: 1,
      stats: null,
      directory: tempDir(cleanup),
      alone: null,
      log: () => {},
      program,
    });
    cleanup.add(() => proxy.stop(0));
    proxy.route({ group: 'g', epoch: 1, host: '127.0.0.1', port: master.port });
    return port;
  };
  const systems: readonly System[] = [
    { name: 'master', port: master.port, waits: false },
    { name: 'master, WAIT by the client', port: master.port, waits: true },
    { name: 'proxy, async', port: await proxied(false), waits: false },
    { name: 'proxy, replicated', port: await proxied(true), waits: false },
  ];
  const rows: string[][] = [];
  for (const clients of options.clients.split(',').map(Number)) {
    const samples = systems.map((): Awaited<ReturnType<typeof run>>[] => []);
    for (const system of systems) await run(system, clients);
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const [i, system] of systems.entries()) samples[i]?.push(await run(system, clients));
    }
    for (const [i, { name }] of systems.entries()) {
      const all = samples[i] ?? [];
      const ratio = median(all.map(({ perSecond }, round) => perSecond / (samples[1]?.[round]?.perSecond ?? 1)));
      rows.push([
        String(clients),
        name,
        String(Math.round(median(all.map(({ perSecond }) => perSecond)))),
        `${ratio.toFixed(2)}x`,
        median(all.map(({ p50 }) => p50)).toFixed(2),
        median(all.map(({ p99 }) => p99)).toFixed(2),
      ]);
    }
  }
  await until(async () => (await replica.cli('DBSIZE')) === (await master.cli('DBSIZE')), { what: 'the replica' });
  console.log(
    `Node ${process.version}, ${options.rounds} rounds of ${options.seconds} s; ratios are to WAIT by the client`,
  );
  console.log(table(['clients', 'writes to', 'writes/s', 'ratio', 'p50 ms', 'p99 ms'], rows));
} finally {
  await cleanup.run();
}
