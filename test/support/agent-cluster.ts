/** Agents of one cluster on loopback: 127.0.0.1, 127.0.0.2, …, each by `tanist run` with the same tanist.yml. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterView, MemberView } from '../../src/agent/view.js';
import { endProxies } from '../../src/proxy/agent/end-proxies.js';
import { livingProxies } from '../../src/proxy/agent/places.js';
import { type Child, startChild } from './child.js';
import type { Cleanup } from './cleanup.js';
import { freePorts } from './free-port.js';
import { type RespValue, request } from './resp.js';
import { tanistPath } from './tanist.js';
import { tempDir } from './temp-dir.js';
import { until } from './until.js';

export interface ClusterOptions {
  /** Lines of tanist.yml besides hosts, ports and directories. */
  readonly yaml?: string;
  /** What the proxy's pool is told besides its address, e.g. `hold: {time: 1m}`. */
  readonly pool?: string;
  /** How many hosts keep a Redis. */
  readonly redis?: number;
  /** How many only vote. */
  readonly witnesses?: number;
  /** Program of the Redis processes. */
  readonly program: string;
}

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;

/** One host of the cluster: its agent, and what it keeps. */
export class AgentHost {
  agent: Child | null = null;

  constructor(
    readonly name: string,
    readonly address: string,
    readonly cluster: AgentCluster,
  ) {}

  start(): Child {
    const args = [tanistPath, 'run', this.cluster.file, '--host', this.name];
    this.agent = startChild({ command: process.execPath, args }, this.cluster.cleanup);
    return this.agent;
  }

  redis(...args: readonly (string | number)[]): Promise<RespValue> {
    return request({ host: this.address, port: this.cluster.ports.redis }, ...args);
  }

  sentinel(...args: readonly (string | number)[]): Promise<RespValue> {
    return request({ host: this.address, port: this.cluster.ports.sentinel }, ...args);
  }

  proxy(...args: readonly (string | number)[]): Promise<RespValue> {
    return request({ host: this.address, port: this.cluster.ports.proxy, deadline_ms: 10_000 }, ...args);
  }

  async api<T>(path: string, method: 'GET' | 'POST' = 'GET', body?: unknown): Promise<{ status: number; body: T }> {
    const url = `http://${this.address}:${this.cluster.ports.api}${path}`;
    const init =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const reply = await fetch(url, { method, ...init });
    return { status: reply.status, body: (await reply.json()) as T };
  }

  view(): Promise<ClusterView> {
    return this.api<ClusterView>('/cluster').then(({ body }) => body);
  }

  /** Where the agent finds its proxy again. */
  get proxyDirectory(): string {
    return join(this.cluster.directory, 'state', this.name, 'proxy');
  }

  /** Of the proxy that serves here, or of those while one replaces another. */
  proxyPids(): number[] {
    return livingProxies(this.proxyDirectory).map(({ pid }) => pid);
  }

  /** Of the Redis that is kept here, as the agent's own file has it. */
  redisPid(): number {
    const file = join(this.cluster.directory, 'state', this.name, 'mymaster.redis.json');
    return (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid;
  }
}

export class AgentCluster {
  readonly hosts: readonly AgentHost[];

  private constructor(
    readonly cleanup: Cleanup,
    readonly directory: string,
    readonly file: string,
    readonly ports: { readonly redis: number; readonly sentinel: number; readonly api: number; readonly proxy: number },
    count: number,
  ) {
    this.hosts = NAMES.slice(0, count).map((name, index) => new AgentHost(name, `127.0.0.${index + 1}`, this));
  }

  /** Writes the file; nothing is started yet. */
  static async create(cleanup: Cleanup, options: ClusterOptions): Promise<AgentCluster> {
    const { redis = 3, witnesses = 0, yaml = '', pool, program } = options;
    const [redisPort = 0, sentinel = 0, api = 0, proxy = 0] = await freePorts(4);
    const directory = tempDir(cleanup);
    const file = join(directory, 'tanist.yml');
    const count = redis + witnesses;
    const cluster = new AgentCluster(cleanup, directory, file, { redis: redisPort, sentinel, api, proxy }, count);
    const hosts = cluster.hosts.map(({ name, address }, index) =>
      index < redis ? `  ${name}: ${address}` : `  ${name}: {address: ${address}, witness: true}`,
    );
    const redisLines = [`  port: ${redisPort}`, `  program: ${program}`, `  directory: ${join(directory, 'redis')}`];
    const lines = ['hosts:', ...hosts, 'redis:', ...redisLines, `sentinel: {port: ${sentinel}}`];
    lines.push(
      `api: {listen: ${api}}`,
      pool === undefined ? `proxy: ${proxy}` : `proxy: {pools: {default: {listen: ${proxy}, ${pool}}}}`,
      `state_directory: ${join(directory, 'state')}`,
      yaml,
    );
    writeFileSync(file, `${lines.join('\n')}\n`);
    cleanup.add(() => cluster.#endRedis());
    cleanup.add(() => Promise.all(cluster.hosts.map((host) => endProxies(host.proxyDirectory, 0))));
    return cluster;
  }

  /** Starts all agents and waits until one Redis leads and all others follow. */
  async start(): Promise<AgentHost> {
    for (const host of this.hosts) host.start();
    return this.settled();
  }

  /** Waits until one Redis leads with its lease, and every other one follows it. @returns the host that leads */
  async settled(deadline_ms = 20_000): Promise<AgentHost> {
    return until(
      async () => {
        const views = await Promise.all(this.running().map((host) => host.view()));
        const leaders = new Set(views.map(({ groups }) => groups[0]?.leader));
        const [view] = views;
        const members = view?.groups[0]?.members ?? [];
        if (leaders.size !== 1 || members.length === 0) throw new Error(JSON.stringify(members));
        const leader = this.hosts.find(({ name }) => name === view?.groups[0]?.leader);
        if (leader === undefined || !members.every((member) => isSettled(member, leader.name))) {
          throw new Error(JSON.stringify(members.map(({ host, state, reason }) => ({ host, state, reason }))));
        }
        return leader;
      },
      { what: 'a master with its lease, and all others behind it', deadline_ms, interval_ms: 50 },
    );
  }

  running(): AgentHost[] {
    return this.hosts.filter(({ agent }) => agent !== null && agent.exit === null);
  }

  /** Redis outlives its agent, as the proxy does: what the agents' files still name is ended by its pid. */
  #endRedis(): void {
    for (const host of this.hosts) {
      try {
        process.kill(host.redisPid(), 'SIGKILL');
      } catch {
        // There is none, or it has ended.
      }
    }
  }
}

function isSettled({ host, state, role }: MemberView, leader: string): boolean {
  return host === leader ? state === 'master' : state === 'replica' && role === 'replica';
}
