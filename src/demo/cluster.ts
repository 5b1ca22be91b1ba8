/**
 * The demo's cluster: three agents by one tanist.yml, each on a loopback address of its own, and a proxy as an application
 * would run it on its own host: the one plain address, which none of the agents' hosts takes with it when it dies.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterView } from '../agent/view.js';
import { RedisLink } from '../redis/link.js';
import {
  type ClusterOptions,
  clusterFiles,
  GROUP,
  HOST_ADDRESSES,
  type Ports,
  PROXY_ADDRESS,
} from './cluster-files.js';
import { DemoError } from './demo-error.js';
import { freePorts } from './free-ports.js';
import { Host } from './host.js';
import { Process } from './process.js';
import { MARK, sweep } from './sweep.js';
import { until } from './until.js';

const TANIST = fileURLToPath(new URL('../../bin/tanist', import.meta.url));
const GUARDIAN = fileURLToPath(new URL('./guardian.js', import.meta.url));

/** Five processes start at once, perhaps on a machine that is busy. */
const START_DEADLINE_MS = 60_000;
const ASK_MS = 500;
const LEAVE_MS = 12_000;

export class Cluster {
  readonly hosts: readonly Host[];
  /** The plain address: what an application would be given. */
  readonly address: { readonly host: string; readonly port: number };
  readonly directory: string;
  /** The tanist.yml. */
  readonly file: string;
  readonly #proxy: Process;
  readonly #proxyLink: RedisLink;
  readonly #guardian: ChildProcess;
  #ended: Promise<void> | null = null;

  private constructor(options: ClusterOptions, ports: Ports) {
    this.directory = realpathSync(mkdtempSync(join(tmpdir(), 'tanist-demo-')));
    this.#guardian = guard(this.directory);
    this.file = join(this.directory, 'tanist.yml');
    this.address = { host: PROXY_ADDRESS, port: ports.proxy };
    for (const [name, text] of Object.entries(clusterFiles(options, ports))) {
      writeFileSync(join(this.directory, name), text);
    }
    this.hosts = Object.entries(HOST_ADDRESSES).map(
      ([name, address]) =>
        new Host({
          name,
          address,
          group: GROUP,
          ports,
          directory: this.directory,
          agent: this.#process(`${name}.log`, ['run', this.file, '--host', name]),
        }),
    );
    const statistics = ['-s', String(ports.proxyStatistics), '-a', PROXY_ADDRESS];
    this.#proxy = this.#process('proxy.log', ['proxy', join(this.directory, 'proxy.yml'), ...statistics]);
    this.#proxyLink = new RedisLink({
      to: this.address,
      connectTimeout_ms: ASK_MS,
      backoff: { base_ms: 20, max_ms: 100 },
    });
  }

  /**
   * Starts all of it, unless `stop` comes first.
   * @param tell hears what has been reached
   * @throws {DemoError} when it does not come up
   */
  static async start(options: ClusterOptions, stop: AbortSignal, tell: (text: string) => void): Promise<Cluster> {
    mustRun(options.redisServer);
    const hosts = Object.values(HOST_ADDRESSES);
    const [redis = 0, sentinel = 0, api = 0, proxy = 0, proxyStatistics = 0] = await freePorts(5, ...hosts);
    const cluster = new Cluster(options, { redis, sentinel, api, proxy, proxyStatistics });
    try {
      for (const host of cluster.hosts) host.agent.start();
      cluster.#proxy.start();
      await cluster.#awaitStart(stop, tell);
      return cluster;
    } catch (error) {
      await cluster.end();
      throw error;
    }
  }

  get logs(): readonly string[] {
    return this.hosts.map(({ name }) => join(this.directory, `${name}.log`));
  }

  host(name: string | null): Host | null {
    return this.hosts.find((host) => host.name === name) ?? null;
  }

  /** The master as most Sentinels have it, of all that there are. */
  async agreedMaster(): Promise<Host | null> {
    const told = await Promise.all(this.hosts.map((host) => host.masterAddress()));
    const majority = this.hosts.find(
      ({ address }) => told.filter((each) => each === address).length > this.hosts.length / 2,
    );
    return majority ?? null;
  }

  /** What `tanist status` asks for; null while nobody answers. */
  async view(): Promise<ClusterView | null> {
    for (const host of this.hosts) {
      const view = await host.view();
      if (view !== null) return view;
    }
    return null;
  }

  /** Ends every process and removes the folder. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    for (const host of this.hosts) host.close();
    this.#proxyLink.close();
    await sweep(this.directory);
    const gone = new Promise((resolve) => this.#guardian.once('exit', resolve));
    if (this.#guardian.exitCode !== null || this.#guardian.signalCode !== null) return;
    this.#guardian.ref();
    this.#guardian.stdin?.end();
    const late = setTimeout(() => this.#guardian.kill('SIGKILL'), LEAVE_MS);
    await gone;
    clearTimeout(late);
  }

  async #awaitStart(stop: AbortSignal, tell: (text: string) => void): Promise<void> {
    const told = new Set<string>();
    const tellOnce = (text: string): void => {
      if (!told.has(text)) tell(text);
      told.add(text);
    };
    await until('the cluster to come up', START_DEADLINE_MS, async () => {
      if (stop.aborted) throw new DemoError('ended while it was starting');
      for (const { agent, name } of this.hosts) mustBeUp(agent, `the agent of ${name}`);
      mustBeUp(this.#proxy, 'the proxy');
      const view = await this.view();
      if (view === null) return false;
      tellProgress(view, tellOnce);
      if (!isSettled(view)) return false;
      const pong = await this.#proxyLink.request(['GET', 'demo:0'], { deadline_ms: ASK_MS }).then(
        () => true,
        () => false,
      );
      if (pong) tellOnce('the plain address answers');
      return pong;
    });
  }

  #process(log: string, args: readonly string[]): Process {
    const { NOTIFY_SOCKET: _, WATCHDOG_USEC: __, ...env } = process.env;
    return new Process(process.execPath, [TANIST, ...args], {
      env: { ...env, [MARK]: this.directory },
      log: join(this.directory, log),
    });
  }
}

/** Whether one leads with its lease, and all others follow it. */
export function isSettled({ groups: [group] }: ClusterView): boolean {
  if (group === undefined || group.failover !== null) return false;
  return group.members.every(({ host, state, role }) =>
    host === group.leader ? state === 'master' : state === 'replica' && role === 'replica',
  );
}

function tellProgress({ voters, groups: [group] }: ClusterView, tell: (text: string) => void): void {
  const answering = voters.filter(({ answers }) => answers).length;
  if (answering < voters.length) return;
  tell(`all ${voters.length} agents answer`);
  const leader = group?.members.find(({ state }) => state === 'master');
  if (leader === undefined) return;
  tell(`${leader.host} leads, with the lease of a majority`);
  if (group?.members.every(({ state }) => state === 'master' || state === 'replica') === true) {
    tell('the others follow it');
  }
}

function mustBeUp(child: Process, what: string): void {
  if (child.state === 'down') throw new DemoError(`${what} has ended: ${child.notStarted ?? child.lastWords}`);
}

/** @throws {DemoError} with the fix, before anything is started that would wait for it */
function mustRun(redisServer: string): void {
  const { error } = spawnSync(redisServer, ['--version'], { stdio: 'ignore', timeout: START_DEADLINE_MS });
  if (error === undefined) return;
  const why = 'code' in error && error.code === 'ENOENT' ? 'there is no such program' : error.message;
  throw new DemoError(
    `${redisServer} cannot be run: ${why}\n  fix: install redis-server, or name one with --redis-server <program>`,
  );
}

/** The guardian's end of the pipe; ours is closed by the kernel when we die. */
function guard(directory: string): ChildProcess {
  const child = spawn(process.execPath, [GUARDIAN, directory], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  child.on('error', () => rmSync(directory, { recursive: true, force: true }));
  child.stdin.on('error', () => undefined);
  child.unref();
  return child;
}
