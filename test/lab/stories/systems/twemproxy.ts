/**
 * Two shards behind nutcracker, three Sentinels, and a client-reconfig-script that rewrites nutcracker's file and starts
 * it anew: a published set-up, its files unchanged but for the folders, since the script finds its process by the path.
 */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requirePeer } from '../../../support/peers.js';
import { until } from '../../../support/until.js';
import type { Host } from '../../host.js';
import { RedisNode } from '../redis-node.js';
import type { Stage } from '../stage.js';
import { commonFlaw, type Door, type Member, type ProxyPlace, type System } from '../system.js';
import { SENTINEL_PATTERN, SentinelNode } from './sentinel-node.js';

const FIXTURES = fileURLToPath(new URL('../../../fixtures/twemproxy', import.meta.url));
const LAB = {
  network: '192.168.16',
  addresses: { vm22: '192.168.16.22', vm23: '192.168.16.23', vm24: '192.168.16.24', client: '192.168.16.9' },
};
const MASTERS = '192.168.16.22';
const PROXY = { host: '192.168.16.23', port: 14555 };
const GROUPS = [
  { name: 'redis_14555_g1_4500', port: 4500 },
  { name: 'redis_14555_g2_4501', port: 4501 },
] as const;
const START_MS = 40_000;

class TwemproxyMember implements Member {
  readonly host;
  readonly redis: readonly RedisNode[];
  readonly sentinel: SentinelNode;
  readonly agentPattern = SENTINEL_PATTERN;

  constructor(stage: Stage, name: string, keepsRedis: boolean, script: string | null) {
    this.host = stage.lab.host(name);
    const directory = stage.dataDirectory(name);
    const lines = (port: number): string[] => (this.host.address === MASTERS ? [] : [`replicaof ${MASTERS} ${port}`]);
    this.redis = keepsRedis
      ? GROUPS.map(
          ({ name: group, port }) => new RedisNode(stage, this.host, directory, { group, port, lines: lines(port) }),
        )
      : [];
    const monitor = GROUPS.flatMap(({ name: group, port }) => [
      `sentinel monitor ${group} ${MASTERS} ${port} 2`,
      `sentinel down-after-milliseconds ${group} 2500`,
      `sentinel failover-timeout ${group} 10000`,
      `sentinel parallel-syncs ${group} 1`,
      ...(script === null ? [] : [`sentinel client-reconfig-script ${group} ${script}`]),
    ]);
    this.sentinel = new SentinelNode(stage, this.host, monitor);
  }

  async startAgent(): Promise<void> {
    await this.sentinel.start();
  }

  async stopAgent(): Promise<void> {
    await this.sentinel.stop();
  }

  get log(): string {
    return this.sentinel.log;
  }
}

/** nutcracker with its files and the script, below a folder that stands for the host's root. */
class Nutcracker {
  readonly script: string;
  readonly #root: string;
  readonly #host: Host;
  readonly #stage: Stage;

  constructor(stage: Stage, host: Host) {
    this.#host = host;
    this.#stage = stage;
    this.#root = join(stage.folder, host.name);
    for (const path of [
      'usr/local/twemproxy/sbin',
      'usr/local/twemproxy/conf',
      'usr/local/twemproxy/logs',
      'data/nosql/sentinel',
    ]) {
      mkdirSync(join(this.#root, path), { recursive: true });
    }
    symlinkSync(requirePeer('nutcracker').path, join(this.#root, 'usr/local/twemproxy/sbin/nutcracker'));
    const config = readFileSync(join(FIXTURES, 'redis_14555.yml'), 'utf8');
    writeFileSync(join(this.#root, 'usr/local/twemproxy/conf/redis_14555.yml'), config);
    this.script = join(this.#root, 'data/nosql/sentinel/client-reconfig.sh');
    const script = readFileSync(join(FIXTURES, 'client-reconfig.sh'), 'utf8');
    writeFileSync(this.script, script.replaceAll('/usr/local/twemproxy', `${this.#root}/usr/local/twemproxy`));
    chmodSync(this.script, 0o755);
  }

  get pattern(): RegExp {
    return new RegExp(`${this.#root}/usr/local/twemproxy/sbin/nutcracker`);
  }

  /** As the article starts it, and as the script does. */
  start(): void {
    const at = `${this.#root}/usr/local/twemproxy`;
    const files = [
      '-c',
      `${at}/conf/redis_14555.yml`,
      '-p',
      `${at}/conf/redis_14555.pid`,
      '-o',
      `${at}/logs/redis_14555.log`,
    ];
    this.#host.start(`${at}/sbin/nutcracker`, [...files, '-v', '11', '-d'], this.#stage.env(this.#host.name));
  }
}

class Twemproxy implements System {
  readonly name = 'twemproxy';
  readonly group = GROUPS[1].name;
  readonly members: readonly TwemproxyMember[];
  readonly vips: readonly string[] = [];
  readonly calm_ms = 3_000;
  readonly #host: Host;
  readonly #nutcracker: Nutcracker;

  constructor(stage: Stage) {
    stage.build(['vm22', 'vm23', 'vm24'], LAB);
    const host = stage.lab.host('vm23');
    this.#nutcracker = new Nutcracker(stage, host);
    this.members = [
      new TwemproxyMember(stage, 'vm22', true, null),
      new TwemproxyMember(stage, 'vm23', false, this.#nutcracker.script),
      new TwemproxyMember(stage, 'vm24', true, null),
    ];
    this.#host = host;
  }

  doors(): readonly Door[] {
    return [{ kind: 'proxy', ...PROXY }];
  }

  proxy(): ProxyPlace {
    return { host: this.#host, pattern: this.#nutcracker.pattern, start: () => this.#nutcracker.start() };
  }

  async start(): Promise<void> {
    for (const { redis } of this.members) for (const each of redis) each.start();
    await Promise.all(this.members.map((member) => member.startAgent()));
    const look = async (): Promise<boolean> => {
      const flaw = await this.flaw();
      if (flaw !== null) throw new Error(flaw);
      const known = await Promise.all(
        this.members.flatMap(({ sentinel }) => GROUPS.map(({ name }) => sentinel.master(name))),
      );
      return known.every((each) => each['num-other-sentinels'] === '2' && each['num-slaves'] === '1');
    };
    await until(look, { what: 'twemproxy to be well', deadline_ms: START_MS, interval_ms: 200 });
    this.#nutcracker.start();
  }

  flaw(): Promise<string | null> {
    return commonFlaw(this);
  }

  async switchover(): Promise<void> {
    await this.members[1]?.sentinel.ask('SENTINEL', 'FAILOVER', this.group);
  }

  /** Each shard has two hosts: the other one is the only one to choose. */
  async failback(_to: Member): Promise<void> {
    const look = async (): Promise<boolean> =>
      (await this.members[1]?.sentinel.ask('SENTINEL', 'FAILOVER', this.group)) === 'OK';
    await until(look, { what: 'the role to be given back', deadline_ms: 60_000, interval_ms: 500 });
  }
}

export const twemproxy = {
  name: 'twemproxy',
  title: 'nutcracker, two shards, auto_eject_hosts, Sentinel x3 with down-after 2500 ms and a client-reconfig-script',
  hasProxy: true,
  create: (stage: Stage) => new Twemproxy(stage),
};
