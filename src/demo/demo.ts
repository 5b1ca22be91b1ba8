/** The demo: a cluster on loopback, a writer, and faults by key or by script. */
import { relative } from 'node:path';
import type { ClusterView } from '../agent/view.js';
import { Cluster } from './cluster.js';
import type { ClusterOptions } from './cluster-files.js';
import type { FaultKey } from './faults.js';
import { Show } from './show.js';
import { Writer } from './writer.js';

export interface DemoOptions extends ClusterOptions {
  /** Faults to cause one after the other, unattended. */
  readonly script: readonly FaultKey[];
  /** End after the script. */
  readonly exit: boolean;
  /** The lines of `tanist status`. */
  readonly statusLines: (view: ClusterView, width: number, colour: boolean) => string[];
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** 128 + SIGINT, as shells have it. */
const INTERRUPTED = 130;

/** Runs until the script is over (with `exit`), a key or a signal ends it. @returns the exit code */
export async function runDemo(options: DemoOptions): Promise<number> {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => stop.abort(signal);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    const cluster = await start(options, stop.signal);
    if (cluster === null) return INTERRUPTED;
    return await show(options, cluster, stop.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

/** @returns null when it was ended before it was up */
async function start(options: ClusterOptions, stop: AbortSignal): Promise<Cluster | null> {
  const begun = performance.now();
  say('tanist demo: starting three agents by one tanist.yml, and a proxy');
  const tell = (text: string): void => {
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
    say(`  ${seconds.padStart(5)} s  ${text}`);
  };
  try {
    return await Cluster.start(options, stop, tell);
  } catch (error) {
    if (stop.aborted) return null;
    throw error;
  }
}

async function show(options: DemoOptions, cluster: Cluster, stop: AbortSignal): Promise<number> {
  const drawn = process.stdout.isTTY === true && options.script.length === 0;
  const redisCli = `redis-cli -p ${cluster.address.port}`;
  const status = `${ownCommand()} status -f ${cluster.file}`;
  const [log = '', ...logs] = cluster.logs;
  say(`
  address      ${redisCli}
  status       ${status}
  tanist.yml   ${cluster.file}
  logs         ${[log, ...logs].join('\n               ')}
`);
  const beside = [
    `${redisCli}   logs: ${cluster.directory}/{${cluster.hosts.map(({ name }) => name).join()}}.log`,
    status,
  ];
  const writer = new Writer(cluster.address);
  try {
    const { statusLines, script, exit, durability } = options;
    const losesNothing = durability === 'replicated';
    return await new Show({ cluster, writer, stop, drawn, beside, statusLines, losesNothing }).run(script, exit);
  } finally {
    writer.stop();
    await cluster.end();
  }
}

/** How this very program is called from where the user is. */
function ownCommand(): string {
  const program = process.argv[1] ?? 'tanist';
  const near = relative(process.cwd(), program);
  return near.startsWith('..') ? program : near;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
