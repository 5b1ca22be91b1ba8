/** One run's world: every host and process of a plan, the checkers that watch it, and the transcript. */
import { MASTER_CONF_DEFAULTS, type PeerConf, type SentinelState } from '../config/sentinel-types.js';
import { currentMasterAddress } from '../sentinel/core/names.js';
import { redisNodes } from '../sentinel/core/state.js';
import { BaseWorld } from './base-world.js';
import { isOfTrueMajority } from './checkers/checker.js';
import { newCheckers } from './checkers/index.js';
import type { Fact, GroupOutcome } from './fact.js';
import { allowsLoss } from './faults.js';
import { KeeperProcess, type LeasePlan } from './keeper-process.js';
import type { Host } from './network.js';
import type { GroupPlan, Plan } from './plan.js';
import { hex40 } from './redis/dataset.js';
import { type Place, RedisProcess } from './redis/process.js';
import { SentinelProcess } from './sentinel-process.js';
import { Writer } from './writer.js';

const SENTINEL_PORT = 26_379;
const REDIS_PORT = 6_379;
const LOAD_PERIOD_MS = 5_000;

export class World extends BaseWorld {
  readonly sentinels: SentinelProcess[] = [];
  readonly redises: RedisProcess[] = [];
  readonly keepers: KeeperProcess[] = [];
  readonly writers: Writer[] = [];
  /** Groups in which a failover went on without a majority of all sentinels: no agreement is owed in them any more. */
  readonly forced = new Set<string>();
  readonly #elected = new Set<string>();
  /** A planned failover has met something else than planned failovers. */
  lossAllowed: boolean;
  readonly #checkers = newCheckers();

  constructor(
    readonly plan: Plan,
    seed: number,
    recording: boolean,
  ) {
    super(seed, recording);
    this.lossAllowed = allowsLoss(plan.faults);
    const hosts = Array.from({ length: plan.sentinels }, () => this.network.addHost());
    for (const [index, group] of plan.groups.entries()) this.#addGroup(group, index, hosts);
    this.#addSentinels(hosts);
    const client = this.network.addHost();
    const places = hosts.map(({ ip }) => ({ ip, port: SENTINEL_PORT }));
    if (plan.lease !== null) this.#addKeepers(plan.lease, places);
    for (const { name } of plan.groups) {
      this.writers.push(new Writer(this.context, name, client, places, plan.writePeriod_ms));
    }
  }

  #addGroup(group: GroupPlan, groupIndex: number, hosts: readonly Host[]): void {
    let master: Place | null = null;
    group.redises.forEach((options, index) => {
      const shared = this.plan.shareHosts ? hosts[(index + groupIndex) % hosts.length] : undefined;
      const host = shared ?? this.network.addHost();
      // Redises of one group on one host need ports of their own.
      const port = REDIS_PORT + groupIndex * 10 + Math.floor(index / hosts.length);
      const name = `${group.name}${'abcdefgh'[index]}`;
      this.redises.push(new RedisProcess(this.context, name, group.name, host, port, options, master));
      master ??= { ip: host.ip, port };
    });
  }

  #addSentinels(hosts: readonly Host[]): void {
    const groupOf = new Map(this.redises.map(({ address, group }) => [address, group]));
    const known = hosts.map(({ ip }) => ({ host: ip, port: SENTINEL_PORT, runId: hex40(this.context.prng) }));
    hosts.forEach((host, index) => {
      const name = `s${index + 1}`;
      const myId = known[index]?.runId ?? '';
      this.nameOf.set(myId, name);
      const manners = { drift: this.#drift, disk_ms: 0 };
      const others = known.filter(({ runId }) => runId !== myId);
      const snapshot = this.#initialSnapshot(myId, others);
      this.sentinels.push(
        new SentinelProcess(this.context, name, host, SENTINEL_PORT, manners, groupOf, this.nameOf, snapshot),
      );
    });
  }

  /** Clocks of two hosts run apart by twice this at most: leases are made for 4 %. */
  get #drift(): number {
    if (!this.plan.faults.clockDrift) return 0;
    return this.plan.lease === null ? 0.01 : 0.02;
  }

  #addKeepers(lease: LeasePlan, sentinels: readonly Place[]): void {
    for (const redis of this.redises) {
      redis.leasedUntil = 0;
      redis.quarantined = true;
      redis.ackReplicas = lease.ackReplicas;
      this.keepers.push(new KeeperProcess(this.context, redis, sentinels, lease, this.#drift));
    }
  }

  /** With leases everybody knows everybody from a file; without they find each other. */
  #initialSnapshot(myId: string, others: readonly PeerConf[]): SentinelState {
    const { lease } = this.plan;

    return {
      myId,
      currentEpoch: 0,
      announceIp: '',
      announcePort: 0,
      resolveHostnames: false,
      announceHostnames: false,
      denyScriptsReconfig: true,
      sentinelUser: '',
      sentinelPass: '',
      masters: this.plan.groups.map((group) => {
        const { redises: _, ...settings } = group;
        const [first, ...rest] = this.redisesOf(group.name);
        const master = { ...MASTER_CONF_DEFAULTS, ...settings, host: first?.host.ip ?? '', port: first?.port ?? 0 };
        if (lease === null) return master;
        const replicas = rest.map(({ host, port }) => ({ host: host.ip, port }));
        const { ttl_ms: leaseTtl_ms, ackReplicas } = lease;
        return { ...master, leaseTtl_ms, ackReplicas, replicas, sentinels: others };
      }),
    };
  }

  redisesOf(group: string): RedisProcess[] {
    return this.redises.filter((redis) => redis.group === group);
  }

  /** Starts everything. */
  start(): void {
    for (const redis of this.redises) redis.start();
    for (const sentinel of this.sentinels) {
      sentinel.onSimulatedFailure(() => sentinel.crash(false));
      sentinel.start();
    }
    for (const keeper of this.keepers) keeper.start();
    for (const writer of this.writers) this.loop.after(500, () => writer.seek());
    this.#watchLoad();
  }

  #watchLoad(): void {
    this.loop.after(LOAD_PERIOD_MS, () => {
      for (const { name, peak, state } of this.sentinels) {
        if (state === null) continue;
        this.check({ kind: 'load', sentinel: name, ...peak });
        peak.effects = 0;
        peak.conns = 0;
        peak.links = 0;
        peak.pending = 0;
      }
      this.#watchLoad();
    });
  }

  protected override check(fact: Fact): void {
    if (this.violation !== null) return;
    this.#count(fact);
    for (const checker of this.#checkers) {
      const what = checker.take(fact);
      if (what === null) continue;
      if (checker.kind === 'limit') {
        this.counts.limits += 1;
        this.note(1, '!', () => `limit met: ${checker.property}: ${what}`);
        continue;
      }
      return this.violate(checker.property, what);
    }
  }

  #count(fact: Fact): void {
    if (fact.kind === 'elected') {
      this.counts.elections += 1;
      if (isOfTrueMajority(fact)) this.#elected.add(`${fact.sentinel} ${fact.group} ${fact.epoch}`);
    } else if (fact.kind === 'selecting') {
      if (!this.#elected.has(`${fact.sentinel} ${fact.group} ${fact.epoch}`)) this.forced.add(fact.group);
    } else if (fact.kind === 'ordered' && fact.follows === '') this.counts.promotions += 1;
    else if (fact.kind === 'acknowledged') this.counts.acknowledged += 1;
  }

  /** How the groups stand now; those are left out in which a failover went on without a majority. */
  outcomes(): GroupOutcome[] {
    return this.plan.groups.filter(({ name }) => !this.forced.has(name)).map(({ name }) => this.#outcome(name));
  }

  #outcome(name: string): GroupOutcome {
    const beliefs: GroupOutcome['beliefs'][number][] = [];
    for (const { name: sentinel, state } of this.sentinels) {
      const group = state?.groups.get(name);
      if (group === undefined) continue;
      const { ip, port } = currentMasterAddress(group);
      beliefs.push({
        sentinel,
        address: `${ip}:${port}`,
        configEpoch: group.configEpoch,
        failingOver: group.failover !== null,
        peers: group.sentinels.size,
      });
    }
    const redises = this.redisesOf(name);
    const known = new Set(
      this.sentinels.flatMap(({ state }) => {
        const group = state?.groups.get(name);
        return group === undefined
          ? []
          : redisNodes(group).map(({ link }) => `${link.address.ip}:${link.address.port}`);
      }),
    );
    const master = redises.find(({ address }) => address === beliefs[0]?.address);
    return {
      group: name,
      beliefs,
      redises: redises.map(({ name: redis, address, role, following, upstream }) => ({
        name: redis,
        address,
        role,
        follows: following === null ? '' : `${following.ip}:${following.port}`,
        linkUp: upstream.up,
        known: known.has(address),
      })),
      held: new Set(master?.data.writes.map(({ id }) => id)),
      leased: this.plan.lease === null ? null : redises.filter(({ leased }) => leased).map(({ address }) => address),
      durable: (this.plan.lease?.ackReplicas ?? 0) > 0,
    };
  }

  /** Tells the checkers how it ended. */
  end(converged: boolean): void {
    this.check({ kind: 'ended', converged, lossAllowed: this.lossAllowed, groups: this.outcomes() });
  }
}
