/**
 * The proxy beside nutcracker and beside no proxy: `npm run bench:proxy`. redis-benchmark is the load; what a proxy costs
 * is the CPU time of its process, from /proc, per request. Systems alternate within each round, and a ratio is taken
 * within a round, so that a machine with other work to do disturbs both sides alike. The medians are printed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, startChild } from '../test/support/child.js';
import { Cleanup } from '../test/support/cleanup.js';
import { freePorts } from '../test/support/free-port.js';
import { requirePeer } from '../test/support/peers.js';
import { startRedis } from '../test/support/redis-server.js';
import { request } from '../test/support/resp.js';
import { tempDir } from '../test/support/temp-dir.js';
import { until } from '../test/support/until.js';
import { median, readOptions, table } from './options.js';

interface Work {
  readonly name: string;
  readonly requests: number;
  readonly args: readonly string[];
}

interface System {
  readonly name: string;
  readonly port: number;
  /** Null without a proxy. */
  readonly pid: number | null;
}

interface Sample {
  /** Of the proxy's process; NaN without one. */
  readonly cpu_us: number;
  readonly perSecond: number;
  readonly p99_ms: number;
}

const COMMON = ['-c', '50', '-r', '100000', '-d', '64'];
const WORKS: readonly Work[] = [
  { name: 'GET', requests: 200_000, args: ['-t', 'get', ...COMMON] },
  { name: 'SET', requests: 200_000, args: ['-t', 'set', ...COMMON] },
  { name: 'GET, 16 deep', requests: 1_000_000, args: ['-t', 'get', '-P', '16', ...COMMON] },
  { name: 'SET, 16 deep', requests: 1_000_000, args: ['-t', 'set', '-P', '16', ...COMMON] },
  { name: 'GET, 64 deep', requests: 2_000_000, args: ['-t', 'get', '-P', '64', ...COMMON] },
  { name: 'SET, 64 deep', requests: 2_000_000, args: ['-t', 'set', '-P', '64', ...COMMON] },
  { name: 'GET, 500 clients', requests: 200_000, args: ['-t', 'get', '-c', '500', '-r', '100000', '-d', '64'] },
  { name: 'SET, 16 KiB', requests: 60_000, args: ['-t', 'set', '-c', '50', '-r', '1000', '-d', '16384'] },
  { name: 'GET, 16 KiB', requests: 60_000, args: ['-t', 'get', '-c', '50', '-r', '1000', '-d', '16384'] },
];

/** `flat`: so many millions of requests, after which the proxies should be no larger than after the first; 0 for none. */
const options = readOptions({ rounds: '7', works: '', scale: '1', idle: '10000', flat: '0' });
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

function cpu_us(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6;
}

function rss_bytes(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1024;
}

function run(system: System, work: Work): Sample {
  const requests = Math.round(work.requests * Number(options.scale));
  const before = system.pid === null ? Number.NaN : cpu_us(system.pid);
  const { path } = requirePeer('redis-benchmark');
  const args = ['-p', String(system.port), '-n', String(requests), '--csv', ...work.args];
  const last = execFileSync(path, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .trim()
    .split('\n')
    .at(-1);
  const fields = (last ?? '').replaceAll('"', '').split(',');
  const after = system.pid === null ? Number.NaN : cpu_us(system.pid);
  return { cpu_us: (after - before) / requests, perSecond: Number(fields[1]), p99_ms: Number(fields[6]) };
}

async function startSystems(cleanup: Cleanup): Promise<System[]> {
  const [one, two] = await Promise.all([startRedis(cleanup), startRedis(cleanup)]);
  const [theirs = 0, theirStats = 0, ours = 0] = await freePorts(3);
  const dir = tempDir(cleanup);
  const file = (name: string, port: number): string => {
    const path = join(dir, name);
    const servers = [`   - 127.0.0.1:${one.port}:1 one`, `   - 127.0.0.1:${two.port}:1 two`].join('\n');
    writeFileSync(path, `bench:\n  listen: 127.0.0.1:${port}\n  redis: true\n  servers:\n${servers}\n`);
    return path;
  };
  const nutcracker = requirePeer('nutcracker');
  const their = ['-c', file('theirs.yml', theirs), '-s', String(theirStats), '-a', '127.0.0.1'];
  const logs = ['-o', join(dir, 'log'), '-p', join(dir, 'pid')];
  const peer = startChild({ command: nutcracker.path, args: [...their, ...logs] }, cleanup);
  const tanist = join(import.meta.dirname, '../bin/tanist');
  if (!existsSync(join(import.meta.dirname, '../dist/cli/main.js'))) throw new Error('run `npm run build` first');
  const args = [tanist, 'proxy', file('ours.yml', ours), '-s', '0', '-a', '127.0.0.1'];
  const own = startChild({ command: process.execPath, args }, cleanup);
  for (const port of [theirs, ours]) await until(() => request({ port }, 'PING'), { what: `a proxy at ${port}` });
  return [
    { name: 'nutcracker', port: theirs, pid: peer.pid },
    { name: 'tanist', port: ours, pid: own.pid },
    { name: 'direct', port: one.port, pid: null },
  ];
}

/** What one idle client costs, from the growth of the process; the number of clients may be limited by the system. */
async function idleBytes(system: System, clients: number, cleanup: Cleanup): Promise<number> {
  if (system.pid === null) return Number.NaN;
  const before = rss_bytes(system.pid);
  const args = ['-p', String(system.port), '-c', String(clients), '-I'];
  const load: Child = startChild({ command: requirePeer('redis-benchmark').path, args }, cleanup);
  const { pid } = system;
  const connected = () => readdirSync(`/proc/${pid}/fd`).length >= clients;
  await until(connected, { what: 'the clients to connect', deadline_ms: 60_000, interval_ms: 200 });
  const after = rss_bytes(pid);
  await load.stop();
  return (after - before) / clients;
}

/** Whether a proxy grows with what it has carried: its memory after each tenth of many requests, GET and SET. */
function growth(system: System, millions: number): string[] {
  const sizes: string[] = [];
  const work = (kind: string): Work => ({
    name: kind,
    requests: Math.round((millions * 1e6) / 20),
    args: ['-t', kind, '-P', '16', ...COMMON],
  });
  for (let tenth = 0; tenth < 10; tenth++) {
    run(system, work('set'));
    run(system, work('get'));
    sizes.push((rss_bytes(system.pid ?? 0) / 2 ** 20).toFixed(0));
  }
  return sizes;
}

const cleanup = new Cleanup();
try {
  const systems = await startSystems(cleanup);
  const wanted = options.works === '' ? WORKS : WORKS.filter((work) => options.works.split(';').includes(work.name));
  const rows: string[][] = [];
  for (const work of wanted) {
    const samples = new Map<string, Sample[]>(systems.map((system) => [system.name, []]));
    // The first run of a kind warms compilers, caches and the servers' data.
    for (const system of systems) run(system, work);
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const system of systems) samples.get(system.name)?.push(run(system, work));
    }
    const [peer = [], own = [], direct = []] = [...samples.values()];
    const ratio = (of: (sample: Sample) => number): string =>
      `${median(own.map((sample, i) => of(sample) / of(peer[i] ?? sample))).toFixed(2)}x`;
    const middle = (list: readonly Sample[], of: (sample: Sample) => number): number => median(list.map(of));
    rows.push([
      work.name,
      `${middle(peer, (s) => s.cpu_us).toFixed(2)}`,
      `${middle(own, (s) => s.cpu_us).toFixed(2)}`,
      ratio((s) => s.cpu_us),
      `${Math.round(middle(direct, (s) => s.perSecond) / 1000)}k`,
      `${Math.round(middle(peer, (s) => s.perSecond) / 1000)}k`,
      `${Math.round(middle(own, (s) => s.perSecond) / 1000)}k`,
      ratio((s) => s.perSecond),
      middle(peer, (s) => s.p99_ms).toFixed(2),
      middle(own, (s) => s.p99_ms).toFixed(2),
      ratio((s) => s.p99_ms),
    ]);
    process.stderr.write(`${rows.at(-1)?.join('  ')}\n`);
  }
  if (rows.length > 0) console.log(asTable(rows));
  if (Number(options.flat) > 0) {
    for (const system of systems.filter(({ pid }) => pid !== null)) {
      const sizes = growth(system, Number(options.flat));
      console.log(`${system.name}: MiB after each tenth of ${options.flat} million requests: ${sizes.join(', ')}`);
    }
  }
  for (const system of systems.filter(({ pid }) => pid !== null && Number(options.idle) > 0)) {
    const bytes = await idleBytes(system, Number(options.idle), cleanup);
    console.log(`${system.name}: ${(bytes / 1024).toFixed(1)} KiB for each of ${options.idle} idle clients`);
  }
} finally {
  await cleanup.run();
}

function asTable(rows: readonly string[][]): string {
  const head = [
    'work',
    'nutcracker us',
    'tanist us',
    'CPU',
    'direct/s',
    'nutcracker/s',
    'tanist/s',
    'rate',
    'nutcracker p99',
    'tanist p99',
    'p99',
  ];
  const title = `Node ${process.version}, ${options.rounds} alternating rounds, medians; ratios are tanist to nutcracker`;
  return `${title}\n${table(head, rows)}`;
}
