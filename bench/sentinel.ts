/**
 * What watching costs: CPU and memory of a Sentinel at 1, 100 and 500 monitored masters, ours and redis-sentinel's in
 * one run: `npm run bench:sentinel`. Every master is a real redis-server of its own; three Sentinels of one kind watch
 * them all; the systems alternate.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../src/demo/until.js';
import { RedisLink } from '../src/redis/link.js';
import { freePorts } from '../test/support/free-port.js';
import { median, readOptions, table } from './options.js';
import { peerProgram } from './peer-program.js';
import { type Program, TANIST_SENTINEL } from './trio/servers.js';

const options = readOptions({ masters: '1,100,500', rounds: '3', settle: '30', seconds: '20', sentinels: '3' });
const HOST = '127.0.0.1';
/** Linux counts CPU time of processes in hundredths of a second (USER_HZ). */
const TICKS_PER_SECOND = 100;

const systems: Readonly<Record<string, Program>> = {
  'redis-sentinel': peerProgram('redis-sentinel'),
  'tanist sentinel': TANIST_SENTINEL,
};
const dir = mkdtempSync(join(tmpdir(), 'tanist-bench-'));
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

function start(program: Program, args: readonly string[]): ChildProcess {
  const child = spawn(program.command, [...(program.before ?? []), ...args, ...(program.after ?? [])], {
    stdio: 'ignore',
  });
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  await new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill('SIGKILL');
  });
}

/** Starts redis-servers until there are `count`. */
async function grow(masters: number[], count: number): Promise<void> {
  const redis = peerProgram('redis-server');
  for (const port of await freePorts(count - masters.length)) {
    const home = join(dir, `redis-${port}`);
    mkdirSync(home);
    const args = ['--port', String(port), '--bind', HOST, '--dir', home, '--save', '', '--hz', '1', '--logfile', 'log'];
    start(redis, args);
    masters.push(port);
  }
  await ask(masters.at(-1) ?? 0, 'PING', (reply) => reply === 'PONG');
}

async function ask(port: number, command: string, good: (reply: unknown) => boolean): Promise<void> {
  const link = new RedisLink({ to: { host: HOST, port }, connectTimeout_ms: 5_000, whileDown: 'wait' });
  try {
    await until(`${command} on port ${port}`, 60_000, async () => {
      const reply = await link.request(command.split(' '), { deadline_ms: 5_000 }).catch(() => null);
      return good(reply);
    });
  } finally {
    link.close();
  }
}

interface Cost {
  readonly cpuPerMinute_s: number;
  readonly rss_mib: number;
}

async function measure(program: Program, masters: readonly number[]): Promise<Cost> {
  const ports = await freePorts(Number(options.sentinels));
  const sentinels = ports.map((port) => {
    const conf = join(dir, `sentinel-${port}.conf`);
    const lines = masters.map((master) => `sentinel monitor m${master} ${HOST} ${master} 2`);
    writeFileSync(conf, [`port ${port}`, `bind ${HOST}`, `dir ${dir}`, `logfile ${dir}/log`, ...lines, ''].join('\n'));
    return start(program, [conf]);
  });
  try {
    const known = new RegExp(`sentinels=${ports.length}`, 'g');
    for (const port of ports) {
      await ask(port, 'INFO sentinel', (reply) => (String(reply).match(known) ?? []).length === masters.length);
    }
    // Discovery rewrites the file again and again, and Node compiles what runs often: let both pass before the steady
    // state is measured. It is the one that lasts.
    await delay(Number(options.settle) * 1_000);
    const before = sentinels.map(cpu_s);
    const began = performance.now();
    await delay(Number(options.seconds) * 1_000);
    const minutes = (performance.now() - began) / 60_000;
    return {
      cpuPerMinute_s: median(sentinels.map((child, index) => (cpu_s(child) - (before[index] ?? 0)) / minutes)),
      rss_mib: median(sentinels.map(rss_mib)),
    };
  } finally {
    await Promise.all(sentinels.map(stop));
  }
}

function cpu_s({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function rss_mib({ pid }: ChildProcess): number {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1_024;
}

const masters: number[] = [];
const costs = new Map<string, Cost[]>();
for (const count of options.masters.split(',').map(Number)) {
  await grow(masters, count);
  for (let round = 1; round <= Number(options.rounds); round++) {
    for (const [name, program] of Object.entries(systems)) {
      const cost = await measure(program, masters);
      const row = `${count}|${name}`;
      costs.set(row, [...(costs.get(row) ?? []), cost]);
      console.error(`round ${round}  ${row}  ${cost.cpuPerMinute_s.toFixed(2)} s/min  ${cost.rss_mib.toFixed(1)} MiB`);
    }
  }
}
const rows = [...costs].map(([row, all]) => {
  const [count = '', name = ''] = row.split('|');
  return [
    count,
    name,
    median(all.map((cost) => cost.cpuPerMinute_s)).toFixed(2),
    median(all.map((cost) => cost.rss_mib)).toFixed(1),
  ];
});
console.log(table(['masters', 'system', 'CPU seconds a minute', 'memory MiB'], rows));
process.exit(0);
