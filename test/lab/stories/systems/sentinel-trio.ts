/**
 * Three hosts, each a Redis and a Sentinel, and a client that asks the Sentinels; with or without keepalived beside it,
 * whose VIP knows nothing of the Sentinels' choice.
 */

import type { Child } from '../../../support/child.js';
import { until } from '../../../support/until.js';
import { ArticleHost } from '../../article-host.js';
import type { LabOptions } from '../../lab.js';
import { ask, RedisNode, replication } from '../redis-node.js';
import type { Stage } from '../stage.js';
import { commonFlaw, type Door, type Member, type System } from '../system.js';
import { SENTINEL_PATTERN, SENTINEL_PORT, SentinelNode } from './sentinel-node.js';

interface Plan {
  readonly name: string;
  readonly group: string;
  readonly members: readonly string[];
  readonly lab: LabOptions;
  readonly downAfter_ms: number;
  /** Of keepalived, which stands beside; null for none. */
  readonly vip: string | null;
}

/** A replica of redis 7 waits 5 s for others to join in a first synchronisation. */
const START_MS = 40_000;

class TrioMember implements Member {
  readonly host;
  readonly redis: readonly RedisNode[];
  readonly sentinel: SentinelNode;
  readonly agentPattern;
  readonly #stage: Stage;
  readonly #keepalived: ArticleHost | null;
  #router: Child | null = null;

  constructor(stage: Stage, plan: Plan, name: string, master: string | null) {
    this.#stage = stage;
    this.host = stage.lab.host(name);
    const lines = master === null ? [] : [`replicaof ${master} 6379`];
    this.redis = [new RedisNode(stage, this.host, stage.dataDirectory(name), { group: plan.group, lines })];
    this.sentinel = new SentinelNode(stage, this.host, [
      `sentinel monitor ${plan.group} ${master ?? this.host.address} 6379 2`,
      `sentinel failover-timeout ${plan.group} 10000`,
      `sentinel down-after-milliseconds ${plan.group} ${plan.downAfter_ms}`,
    ]);
    const config = `redis-sentinel-${master === null ? 'master' : 'backup'}.conf`;
    this.#keepalived = plan.vip === null ? null : new ArticleHost(this.host, stage.folder, { config });
    this.agentPattern = plan.vip === null ? SENTINEL_PATTERN : /:26379 \[sentinel\]|keepalived -n/;
  }

  async startAgent(): Promise<void> {
    await this.sentinel.start();
    this.#router = this.#keepalived?.startRouter('keepalived', this.#stage.env(this.host.name)) ?? null;
  }

  async stopAgent(): Promise<void> {
    await Promise.all([this.sentinel.stop(), this.#router?.stop()]);
  }

  get log(): string {
    return `${this.sentinel.log}\n${this.#router?.output ?? ''}`;
  }
}

class SentinelTrio implements System {
  readonly name: string;
  readonly group: string;
  readonly members: readonly TrioMember[];
  readonly #door: Door;
  readonly vips: readonly string[];
  readonly calm_ms = 3_000;

  constructor(stage: Stage, plan: Plan) {
    this.name = plan.name;
    this.group = plan.group;
    stage.build(plan.members, plan.lab);
    const first = stage.lab.host(plan.members[0] ?? '').address;
    this.members = plan.members.map((name, i) => new TrioMember(stage, plan, name, i === 0 ? null : first));
    this.vips = plan.vip === null ? [] : [plan.vip];
    const sentinels = this.members.map(({ host }) => ({ host: host.address, port: SENTINEL_PORT }));
    this.#door =
      plan.vip === null
        ? { kind: 'sentinel', sentinels, name: plan.group }
        : { kind: 'vip', host: plan.vip, port: 6379 };
    if (plan.vip !== null) {
      for (const { host } of this.members) host.exec('sysctl', '-qw', 'net.ipv4.ip_nonlocal_bind=1');
    }
  }

  doors(): readonly Door[] {
    return [this.#door];
  }

  async start(): Promise<void> {
    for (const { redis } of this.members) for (const each of redis) each.start();
    await Promise.all(this.members.map((member) => member.startAgent()));
    const look = async (): Promise<boolean> => {
      const flaw = await this.flaw();
      if (flaw !== null) throw new Error(flaw);
      const known = await Promise.all(this.members.map(({ sentinel }) => sentinel.master(this.group)));
      return known.every((each) => each['num-other-sentinels'] === '2' && each['num-slaves'] === '2');
    };
    await until(look, { what: `${this.name} to be well`, deadline_ms: START_MS, interval_ms: 200 });
  }

  flaw(): Promise<string | null> {
    return commonFlaw(this);
  }

  async switchover(): Promise<void> {
    await this.members[1]?.sentinel.ask('SENTINEL', 'FAILOVER', this.group);
  }

  /** Sentinel cannot be told whom to choose, but it follows priorities that the replicas told it within ten seconds. */
  async failback(to: Member): Promise<void> {
    for (const member of this.members) {
      for (const redis of member.redis) await ask(redis, 'CONFIG', 'SET', 'replica-priority', member === to ? 10 : 100);
    }
    const look = async (): Promise<boolean> => {
      const [redis] = to.redis;
      const fields = redis === undefined ? {} : await replication(redis);
      if (fields['role'] === 'master') return true;
      await this.members[1]?.sentinel.ask('SENTINEL', 'FAILOVER', this.group);
      return false;
    };
    await until(look, { what: 'the role to be given back', deadline_ms: 60_000, interval_ms: 1_000 });
  }
}

const ABC = ['a', 'b', 'c'];

export const sentinelTrio = {
  name: 'sentinel',
  title: 'Sentinel x3, down-after 5000 ms, a client that asks the Sentinels',
  create: (stage: Stage) =>
    new SentinelTrio(stage, {
      name: 'sentinel',
      group: 'mymaster',
      members: ABC,
      lab: {},
      downAfter_ms: 5_000,
      vip: null,
    }),
};

export const sentinelTrioFast = {
  name: 'sentinel-1s',
  title: 'Sentinel x3, down-after 1000 ms, a client that asks the Sentinels',
  create: (stage: Stage) =>
    new SentinelTrio(stage, {
      name: 'sentinel-1s',
      group: 'mymaster',
      members: ABC,
      lab: {},
      downAfter_ms: 1_000,
      vip: null,
    }),
};

export const keepalivedSentinel = {
  name: 'keepalived-sentinel',
  title: 'keepalived for the address, Sentinel x3 for the role, down-after 5000 ms',
  create: (stage: Stage) =>
    new SentinelTrio(stage, {
      name: 'keepalived-sentinel',
      group: 'redis-ha',
      members: ['master', 'slave1', 'slave2'],
      lab: {
        network: '172.19.0',
        prefix: 16,
        addresses: { master: '172.19.0.4', slave1: '172.19.0.3', slave2: '172.19.0.2', client: '172.19.0.9' },
      },
      downAfter_ms: 5_000,
      vip: '172.19.0.100',
    }),
};
