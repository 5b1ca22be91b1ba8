/**
 * Two hosts, keepalived, a check script and notify scripts that sleep: two published set-ups of the kind, their files
 * unchanged but for what keepalived 2.2.7 refuses, the traces of the web page that they stood on.
 */
import type { Child } from '../../../support/child.js';
import { until } from '../../../support/until.js';
import { ArticleHost } from '../../article-host.js';
import type { LabOptions } from '../../lab.js';
import { RedisNode } from '../redis-node.js';
import type { Stage } from '../stage.js';
import { commonFlaw, type Door, type Member, masterOf, type System } from '../system.js';

interface Article {
  readonly vip: string;
  readonly lab: LabOptions;
  readonly members: readonly string[];
  /** In test/fixtures/keepalived: `<files>-master.conf`, `<files>-backup.conf`, and their scripts. */
  readonly files: string;
  readonly scripts: string;
  readonly redisCli: string;
  readonly password?: string;
}

/** Multicast; the check asks the Redis, and its failure is a fault. */
const MULTICAST: Article = {
  vip: '192.168.0.200',
  lab: { network: '192.168.0', addresses: { master: '192.168.0.100', slave: '192.168.0.101', client: '192.168.0.9' } },
  members: ['master', 'slave'],
  files: 'redis-pair',
  scripts: 'scripts',
  redisCli: 'usr/redis/redis-cli',
};

/** Unicast; the check looks for the port, and stops keepalived when it is gone. */
const UNICAST: Article = {
  vip: '192.168.158.13',
  lab: {
    network: '192.168.158',
    addresses: { region01: '192.168.158.11', region02: '192.168.158.12', client: '192.168.158.9' },
    device: 'ens33',
  },
  members: ['region01', 'region02'],
  files: 'redis-unicast',
  scripts: 'scripts_redis',
  redisCli: 'usr/local/redis/bin/redis-cli',
  password: '78e13a',
};

/** The page lost a brace, and has no-break spaces on empty lines, which keepalived takes for a word. */
const amend = (config: string): string => config.replaceAll('\u00a0', ' ').replace(/^(vrrp_script \w+)\s*$/m, '$1 {');

/** The longest chain of sleeps in the scripts is 25 s. */
const START_MS = 60_000;

class PairMember implements Member {
  readonly host;
  readonly redis: readonly RedisNode[];
  readonly agentPattern = /keepalived -n/;
  readonly #files: ArticleHost;
  readonly #stage: Stage;
  #router: Child | null = null;

  constructor(stage: Stage, article: Article, name: string, role: 'master' | 'backup') {
    const { files, scripts, redisCli, password } = article;
    this.#stage = stage;
    this.host = stage.lab.host(name);
    this.#files = new ArticleHost(this.host, stage.folder, {
      config: `${files}-${role}.conf`,
      scripts: { from: `${files}-${role}-scripts`, to: scripts },
      redisCli,
      amend,
      ...(password === undefined ? {} : { password }),
    });
    const directory = stage.dataDirectory(name);
    this.redis = [new RedisNode(stage, this.host, directory, password === undefined ? {} : { password })];
  }

  async startAgent(): Promise<void> {
    this.#router = this.#files.startRouter('keepalived', this.#stage.env(this.host.name));
  }

  async stopAgent(): Promise<void> {
    await this.#router?.stop();
  }

  get log(): string {
    const files = ['keepalived-redis-state.log', 'keepalived-redis-status.log'];
    return [this.#router?.output ?? '', ...files.map((name) => this.#files.log(name))].join('\n');
  }
}

class KeepalivedPair implements System {
  readonly name: string;
  readonly members: readonly PairMember[];
  readonly #door: Door;
  readonly vips: readonly string[];
  readonly group = 'mymaster';
  readonly calm_ms = 5_000;

  constructor(name: string, stage: Stage, article: Article) {
    this.name = name;
    stage.build(article.members, article.lab);
    this.members = article.members.map(
      (member, i) => new PairMember(stage, article, member, i === 0 ? 'master' : 'backup'),
    );
    const { vip, password } = article;
    this.vips = [vip];
    this.#door = { kind: 'vip', host: vip, port: 6379, ...(password === undefined ? {} : { password }) };
  }

  doors(): readonly Door[] {
    return [this.#door];
  }

  async start(): Promise<void> {
    for (const { redis } of this.members) for (const each of redis) each.start();
    await until(() => this.members.every(({ redis }) => redis.every(({ log }) => /Ready to accept/.test(log))), {
      what: 'both Redis',
    });
    await Promise.all(this.members.map((member) => member.startAgent()));
    let wellSince = Number.POSITIVE_INFINITY;
    const staysWell = async (): Promise<boolean> => {
      const now = performance.now();
      wellSince = (await this.flaw()) === null ? Math.min(wellSince, now) : Number.POSITIVE_INFINITY;
      return now - wellSince >= this.calm_ms;
    };
    await until(staysWell, { what: `${this.name} to stay well`, deadline_ms: START_MS, interval_ms: 200 });
  }

  /** The VIP shall be where the master is: for a while after the start the scripts have it otherwise. */
  async flaw(): Promise<string | null> {
    const flaw = await commonFlaw(this);
    if (flaw !== null) return flaw;
    // The roles may have changed since.
    const master = await masterOf(this).catch(() => null);
    if (master === null) return 'its master is just being changed';
    const { host } = master;
    return this.vips.every((vip) => host.holds(vip)) ? null : `the VIP is not on ${host.name}, which has the master`;
  }

  /** There is no command for it: keepalived is stopped on the master, as the articles have it. */
  async switchover(from: Member): Promise<void> {
    await from.stopAgent();
  }

  async failback(to: Member): Promise<void> {
    await to.startAgent();
  }
}

export const keepalivedPair = {
  name: 'keepalived',
  title: 'keepalived, multicast, check and notify scripts, 2 hosts',
  create: (stage: Stage) => new KeepalivedPair('keepalived', stage, MULTICAST),
};

export const keepalivedUnicast = {
  name: 'keepalived-unicast',
  title: 'keepalived, unicast, a check that stops it, notify scripts, 2 hosts',
  create: (stage: Stage) => new KeepalivedPair('keepalived-unicast', stage, UNICAST),
};
