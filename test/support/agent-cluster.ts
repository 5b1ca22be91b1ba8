/** Agents of one cluster on loopback: 127.0.0.1, 127.0.0.2, …, each by `tanist run` with the same tanist.yml. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFailed } from 'vitest';
import type { ClusterView, MemberView } from '../../src/agent/view.js';
import { endProxies } from '../../src/proxy/agent/end-proxies.js';
import { livingProxies } from '../../src/proxy/agent/places.js';
import { type Child, startChild } from './child.js';
import type { Cleanup } from './cleanup.js';
import { freePorts } from './free-port.js';
import { type RequestOptions, type RespValue, request } from './resp.js';
import { tanistPath } from './tanist.js';
import { tempDir } from './temp-dir.js';
import { until } from './until.js';

export interface ClusterOptions {
  /** Lines of tanist.yml besides hosts, ports and directories. */
  readonly yaml?: string;
  /** More lines below `redis:`. */
  readonly redisYaml?: readonly string[];
  /** Keys of `sentinel:` besides its port. */
  readonly sentinelYaml?: string;
  /** In the place of a proxy on one port: the keys of its one pool besides `listen`. */
  readonly poolYaml?: string;
  /** How its Redis and its Sentinels are spoken to. */
  readonly login?: Login;
  readonly sentinelLogin?: Login;
  readonly proxyLogin?: Login;
  readonly apiToken?: string;
  /** How many hosts keep a Redis. */
  readonly redis?: number;
  /** How many only vote. */
  readonly witnesses?: number;
  /** Program of the Redis processes. */
  readonly program: string;
}

/** Password, user, TLS. */
export type Login = Pick<RequestOptions, 'password' | 'user' | 'tls'>;

/** Of each host, when a test has failed: what came before it. */
const FAILED_LINES = 60;
const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;

/** One host of the cluster: its agent, and what it keeps. */
export class AgentHost {
  agent: Child | null = null;
  readonly #agents: Child[] = [];
  /** The tanist.yml that it starts with; the cluster's unless it was given another. */
  file: string;

  constructor(
    readonly name: string,
    readonly address: string,
    readonly cluster: AgentCluster,
  ) {
    this.file = cluster.file;
  }

  /** Ends the agent as its unit does, and starts it again, perhaps with another file. */
  async restart(file = this.file): Promise<void> {
    await this.agent?.stop(20_000);
    this.file = file;
    this.start();
  }

  start(): Child {
    const args = [tanistPath, 'run', this.file, '--host', this.name];
    this.agent = startChild({ command: process.execPath, args }, this.cluster.cleanup);
    this.#agents.push(this.agent);
    return this.agent;
  }

  /** What all agents of this host have said lately, one after the other. */
  lastWords(lines: number): string {
    const all = this.#agents.map(({ output }) => output).join('');
    return all.trimEnd().split('\n').slice(-lines).join('\n');
  }

  redis(...args: readonly (string | number)[]): Promise<RespValue> {
    const { login } = this.cluster.options;
    return request({ ...login, host: this.address, port: this.cluster.ports.redis }, ...args);
  }

  sentinel(...args: readonly (string | number)[]): Promise<RespValue> {
    const { sentinelLogin } = this.cluster.options;
    return request({ ...sentinelLogin, host: this.address, port: this.cluster.ports.sentinel }, ...args);
  }

  proxy(...args: readonly (string | number)[]): Promise<RespValue> {
    const { proxyLogin } = this.cluster.options;
    return request({ ...proxyLogin, host: this.address, port: this.cluster.ports.proxy, deadline_ms: 10_000 }, ...args);
  }

  async api<T>(path: string, method: 'GET' | 'POST' = 'GET', body?: unknown): Promise<{ status: number; body: T }> {
    const url = `http://${this.address}:${this.cluster.ports.api}${path}`;
    const { apiToken } = this.cluster.options;
    const headers = {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(apiToken === undefined ? {} : { authorization: `Bearer ${apiToken}` }),
    };
    const reply = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
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
  /** Of every tanist.yml, below the hosts. */
  readonly #lines: string[] = [];
  /** How many of the hosts keep a Redis: the first. */
  #keep = 0;

  private constructor(
    readonly cleanup: Cleanup,
    readonly options: ClusterOptions,
    readonly directory: string,
    readonly file: string,
    readonly ports: { readonly redis: number; readonly sentinel: number; readonly api: number; readonly proxy: number },
    count: number,
  ) {
    this.hosts = NAMES.slice(0, count).map((name, index) => new AgentHost(name, `127.0.0.${index + 1}`, this));
  }

  /** Writes the file; nothing is started yet. */
  static async create(cleanup: Cleanup, options: ClusterOptions): Promise<AgentCluster> {
    const { redis = 3, witnesses = 0, yaml = '', program, redisYaml = [], sentinelYaml = '', poolYaml } = options;
    const [redisPort = 0, sentinel = 0, api = 0, proxy = 0] = await freePorts(4);
    const directory = tempDir(cleanup);
    const file = join(directory, 'tanist.yml');
    const count = redis + witnesses;
    const cluster = new AgentCluster(
      cleanup,
      options,
      directory,
      file,
      { redis: redisPort, sentinel, api, proxy },
      count,
    );
    const redisLines = [`  port: ${redisPort}`, `  program: ${program}`, `  directory: ${join(directory, 'redis')}`];
    const pool = poolYaml === undefined ? `${proxy}` : `{pools: {door: {listen: ${proxy}, ${poolYaml}}}}`;
    const { apiToken } = options;
    cluster.#lines.push('redis:', ...redisLines, ...redisYaml.map((line) => `  ${line}`));
    cluster.#lines.push(`sentinel: {port: ${sentinel}, ${sentinelYaml}}`, `proxy: ${pool}`);
    cluster.#lines.push(`api: {listen: ${api}${apiToken === undefined ? '' : `, token: ${apiToken}`}}`);
    cluster.#lines.push(`state_directory: ${join(directory, 'state')}`);
    cluster.#keep = redis;
    cluster.writeFile('tanist.yml', cluster.hosts, yaml);
    onTestFailed(() => {
      for (const host of cluster.hosts) console.error(`host ${host.name} said:\n${host.lastWords(FAILED_LINES)}\n`);
    });
    cleanup.add(() => cluster.#endRedis());
    cleanup.add(() => Promise.all(cluster.hosts.map((host) => endProxies(host.proxyDirectory, 0))));
    return cluster;
  }

  /** Writes another tanist.yml for this cluster. @returns its path */
  writeFile(name: string, hosts: readonly AgentHost[], yaml = ''): string {
    const lines = hosts.map((host) =>
      this.hosts.indexOf(host) < this.#keep
        ? `  ${host.name}: ${host.address}`
        : `  ${host.name}: {address: ${host.address}, witness: true}`,
    );
    const path = join(this.directory, name);
    writeFileSync(path, `${['hosts:', ...lines, ...this.#lines, yaml].join('\n')}\n`);
    return path;
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
