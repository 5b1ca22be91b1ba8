/** Tanist: an agent on every host, one file, and nothing else. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from '../../../support/child.js';
import { tanistPath } from '../../../support/tanist.js';
import { until } from '../../../support/until.js';
import type { Host } from '../../host.js';
import { commonLines } from '../redis-node.js';
import type { Stage } from '../stage.js';
import {
  commonFlaw,
  type Door,
  type Member,
  type ProxyPlace,
  type RedisPlace,
  type System,
  type SystemKind,
} from '../system.js';

interface Plan {
  readonly name: string;
  readonly hosts: readonly string[];
  /** Lines of tanist.yml. */
  readonly lines: readonly string[];
}

const VIP = '10.99.0.100';
const PROXY_PORT = 22121;
const START_MS = 30_000;
/** A master is handed over first. */
const STOP_MS = 40_000;

/** A Redis that its agent keeps: it comes back by itself. */
class KeptRedis implements RedisPlace {
  readonly group = 'mymaster';
  readonly port = 6379;
  readonly socket: string;
  readonly directory: string;
  readonly config: string;
  readonly processPattern = /redis-server .*:6379\b/;

  constructor(stage: Stage, host: Host) {
    this.socket = join(stage.folder, `${host.name}.sock`);
    this.directory = join(stage.dataDirectory(host.name), 'redis');
    this.config = join(stage.folder, `${host.name}-redis.conf`);
    mkdirSync(this.directory);
    writeFileSync(this.config, `${[...commonLines, `unixsocket ${this.socket}`].join('\n')}\n`);
  }

  start(): void {
    // Its agent does.
  }

  wipe(): void {
    rmSync(this.directory, { recursive: true, force: true });
    mkdirSync(this.directory);
  }
}

class TanistMember implements Member {
  readonly host: Host;
  readonly redis: readonly KeptRedis[];
  /** The agent and its router: Redis and the proxy outlive them. */
  readonly agentPattern = /^(?!\S*redis-)(?!.*proxy-process\.js)/;
  readonly #stage: Stage;
  readonly #file: string;
  #agent: Child | null = null;
  #log = '';

  constructor(stage: Stage, plan: Plan, name: string) {
    this.#stage = stage;
    this.host = stage.lab.host(name);
    const redis = new KeptRedis(stage, this.host);
    this.redis = [redis];
    this.#file = join(stage.folder, `${name}-tanist.yml`);
    const hosts = plan.hosts.map((each) => `  ${each}: ${stage.lab.host(each).address}`);
    // The hosts share a file system here: their folders must differ, which is all that differs in the file.
    const own = [
      'redis:',
      `  config: ${redis.config}`,
      `  directory: ${redis.directory}`,
      `state_directory: ${join(stage.folder, `${name}-state`)}`,
    ];
    const text = ['hosts:', ...hosts, `vip: ${VIP}/24`, `proxy: ${PROXY_PORT}`, ...own, ...plan.lines];
    writeFileSync(this.#file, `${text.join('\n')}\n`);
  }

  async startAgent(): Promise<void> {
    this.#log = this.log;
    const { name } = this.host;
    this.#agent = this.host.start(
      process.execPath,
      [tanistPath, 'run', this.#file, '--host', name],
      this.#stage.env(name),
    );
    await this.#agent.untilOutput(/ Ready: /, { deadline_ms: START_MS });
  }

  async stopAgent(): Promise<void> {
    this.#agent?.kill('SIGTERM');
    await until(() => this.#agent === null || this.#agent.exit !== null, {
      what: `the agent on ${this.host.name} to end`,
      deadline_ms: STOP_MS,
    });
  }

  /** Runs a command of the operator's. @throws {Error} with what it said, when it fails */
  async order(...args: readonly string[]): Promise<void> {
    const child = this.host.start(process.execPath, [tanistPath, ...args], this.#stage.env(this.host.name));
    const { code } = await child.exited;
    if (code !== 0) throw new Error(`tanist ${args.join(' ')}: ${child.output.trim()}`);
  }

  get log(): string {
    return `${this.#log}${this.#agent?.output ?? ''}`;
  }
}

class Tanist implements System {
  readonly name: string;
  readonly group = 'mymaster';
  readonly members: readonly TanistMember[];
  readonly vips = [VIP];
  readonly calm_ms = 2_000;

  constructor(stage: Stage, plan: Plan) {
    this.name = plan.name;
    stage.build(plan.hosts);
    this.members = plan.hosts.map((name) => new TanistMember(stage, plan, name));
  }

  doors(target: Member): readonly Door[] {
    return [
      { kind: 'vip', host: VIP, port: 6379 },
      { kind: 'proxy', host: this.proxy(target).host.address, port: PROXY_PORT },
    ];
  }

  /** On a host that the fault does not strike: a client's own proxy would stand beside it. */
  proxy(target: Member): ProxyPlace {
    const host = this.members.findLast((member) => member !== target)?.host ?? target.host;
    const start = () => {
      // Its agent does.
    };
    return { host, pattern: /proxy-process\.js/, start };
  }

  async start(): Promise<void> {
    await Promise.all(this.members.map((member) => member.startAgent()));
    const look = async (): Promise<boolean> => {
      const flaw = await this.flaw();
      if (flaw !== null) throw new Error(flaw);
      return true;
    };
    await until(look, { what: `${this.name} to be well`, deadline_ms: START_MS, interval_ms: 200 });
  }

  flaw(): Promise<string | null> {
    return commonFlaw(this);
  }

  async switchover(from: Member): Promise<void> {
    const to = this.members.find((member) => member !== from);
    if (to !== undefined) await this.failback(to);
  }

  async failback(to: Member): Promise<void> {
    await this.members[0]?.order('switchover', '--to', to.host.name, '--yes');
  }
}

const kind = (name: string, title: string, hosts: readonly string[], ...lines: readonly string[]): SystemKind => ({
  name,
  title,
  hasProxy: true,
  create: (stage) => new Tanist(stage, { name, hosts, lines }),
});

const ABC = ['a', 'b', 'c'];

export const tanistKinds: readonly SystemKind[] = [
  kind('tanist', 'three agents, quorum, async, lease 1 s', ABC),
  kind('tanist-500ms', 'three agents, quorum, async, lease 500 ms', ABC, 'lease: 500ms'),
  kind('tanist-replicated', 'three agents, quorum, replicated, lease 1 s', ABC, 'durability: replicated'),
  kind('tanist-pair', 'two agents, pair mode', ['a', 'b'], 'mode: pair'),
];
