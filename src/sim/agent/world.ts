/** One run's world: hosts with their agents, the checkers that watch them, and the transcript. */
import type { Place } from '../../keeper/core/io.js';
import { BaseWorld } from '../base-world.js';
import { Bounded } from '../checkers/bounded.js';
import type { Checker } from '../checkers/checker.js';
import { EpochsGrow } from '../checkers/epochs-grow.js';
import { GrantOrVote } from '../checkers/grant-or-vote.js';
import { Majority } from '../checkers/majority.js';
import { NotOwnReplica } from '../checkers/not-own-replica.js';
import { OneConfiguration } from '../checkers/one-configuration.js';
import { OneLeader } from '../checkers/one-leader.js';
import { OneLease } from '../checkers/one-lease.js';
import { OneVote } from '../checkers/one-vote.js';
import { PersistedFirst } from '../checkers/persisted-first.js';
import { drawRate } from '../clock-rate.js';
import type { Fact } from '../fact.js';
import { hex40 } from '../redis/dataset.js';
import { AgentHost } from './agent-host.js';
import type { AgentChecker } from './checkers/agent-checker.js';
import { whyUnbounded } from './checkers/bounded-loss.js';
import { fullerSibling } from './checkers/fuller.js';
import { HandedOver } from './checkers/handed-over.js';
import { Fenced, VipLeased } from './checkers/leased-only.js';
import { NothingLost, SavedFirst } from './checkers/losses.js';
import { OneVip, OneWritable } from './checkers/one-writable.js';
import { PairVip } from './checkers/pair-vip.js';
import { isDisturbing } from './faults.js';
import { REDIS_PORT } from './host.js';
import { outcomeOf } from './outcome.js';
import type { AgentPlan, GroupPlan } from './plan.js';
import { quietSince, undisturbedSince } from './quiet.js';
import type { Room } from './room.js';
import { type HostSight, sightOf } from './sight.js';
import { VipClient } from './vip-client.js';

/** Clocks of two hosts run apart by twice this at most: leases are made for 5 %. */
const DRIFT = 0.024;
/** An order to Redis is on its way. */
const FENCE_LATE_MS = 30;
/** A replica that was promoted is asked for its role once a second, and named by the record in less than three. */
const NEW_MASTER_MS = 3_500;
/** What begins and ends by an event is looked at then; this is for what ends by the clock. */
const LOOK_PERIOD_MS = 20;
const LOAD_PERIOD_MS = 2_000;
const INBOX_MAX = 50;
const EFFECTS_MAX = 60;
const ASKS_MAX = 8;
const PENDING_MAX = 256;

export class AgentWorld extends BaseWorld {
  readonly hosts: AgentHost[] = [];
  readonly groupOf = new Map<string, string>();
  readonly acknowledgedWrites = new Set<number>();
  /** By group: when an operator forced a failover of it last. */
  readonly forcedAt = new Map<string, number>();
  /** What a master acknowledged after its lease, and for how long: its agent was gone or halted. */
  unleased_ms = 0;
  saveFails = false;
  /** The writers have ended. */
  quiet = false;
  readonly handOvers: HandedOver;
  readonly #checkers: readonly (Checker | AgentChecker)[];
  readonly #looking: readonly AgentChecker[];
  #nextWrite = 1;
  #sights: { readonly group: string; readonly hosts: readonly AgentHost[] }[] = [];

  constructor(
    readonly plan: AgentPlan,
    seed: number,
    recording: boolean,
  ) {
    super(seed, recording);
    const durable = plan.groups.some(({ durability }) => durability === 'replicated');
    const isPair = plan.mode === 'pair';
    this.handOvers = new HandedOver((from) => undisturbedSince(this, this.#hostOf(from)));
    const looking = isPair
      ? [new PairVip(() => quietSince(this))]
      : [new OneWritable(), new OneVip(), new VipLeased(), new Fenced(), this.handOvers];
    this.#looking = looking;
    this.#checkers = [
      ...looking,
      new NothingLost('durable', durable),
      new NothingLost('planned', !isPair && !isDisturbing(plan.faults)),
      new SavedFirst(
        (redis) => this.#savedBy(redis),
        (redis) => this.#isKept(redis),
      ),
      new OneLease(),
      new GrantOrVote(),
      new OneVote(),
      new PersistedFirst(),
      new OneLeader(),
      new Majority(),
      // The hosts of a pair may name two masters in one epoch, while they do not hear each other.
      ...(isPair ? [] : [new OneConfiguration()]),
      new EpochsGrow(),
      new NotOwnReplica(),
      new Bounded(),
    ];
    this.#addHosts();
  }

  #addHosts(): void {
    const { plan, context } = this;
    const rates = this.#drawRates();
    for (let index = 0; index < plan.hosts; index++) this.nameOf.set(hex40(context.prng), `s${'abcdefgh'[index]}`);
    const machines = Array.from({ length: plan.hosts }, () => this.network.addHost());
    for (const group of plan.groups) {
      for (const index of group.hosts) {
        const { host, port } = this.placeOf(group, index);
        this.groupOf.set(`${host}:${port}`, group.name);
      }
    }
    machines.forEach((machine, index) => {
      this.hosts.push(new AgentHost(this, context, 'abcdefgh'[index] ?? '?', index, machine, rates[index] ?? 1));
    });
    for (const host of this.hosts) host.addProxies();
    this.#sights = plan.groups.map(({ name, hosts }) => ({
      group: name,
      hosts: this.hosts.filter(({ index }) => hosts.includes(index)),
    }));
  }

  /** How fast each host's clock runs. */
  #drawRates(): readonly number[] {
    const { plan, context } = this;
    const { prng } = context;
    const { clockDrift, leaseEdge } = plan.faults;
    const odd = prng.chance(0.7) ? plan.groups[0]?.hosts[0] : prng.below(plan.hosts);
    const fast = prng.chance(0.25);
    return Array.from({ length: plan.hosts }, (_, index) => {
      if (!clockDrift) return 1;
      // The worst for a lease: the clock of its holder is as far from all the others as may be.
      if (leaseEdge) return (index === odd) === fast ? 1 + DRIFT : 1 - DRIFT;
      return drawRate(prng, DRIFT);
    });
  }

  ipOf(index: number): string {
    return this.network.hosts[index]?.ip ?? '';
  }

  placeOf(group: GroupPlan, index: number): Place {
    return { host: this.ipOf(index), port: REDIS_PORT + 10 * this.plan.groups.indexOf(group) };
  }

  #hostOf(name: string): AgentHost | null {
    return this.hosts.find((host) => host.name === name) ?? null;
  }

  nextWrite(): number {
    return this.#nextWrite++;
  }

  /** Starts everything: on new disks, as after the installation. */
  start(): void {
    for (const { agent, host } of this.hosts) {
      this.loop.after(this.context.prng.below(500), () => {
        // It may have been switched off, and on again, before.
        if (host.up && !agent.alive) agent.start();
      });
    }
    const outside = this.network.addHost();
    for (const group of this.plan.groups) {
      const client = new VipClient(this, group, outside);
      this.loop.after(500, () => client.begin());
    }
    this.#watch();
    this.#watchLoad();
  }

  /** Who has the VIP; of two the one that came last, as its announcements say. */
  vipHolder(group: string): AgentHost | null {
    let last: AgentHost | null = null;
    for (const host of this.hosts) {
      const router = host.routers.get(group);
      if (router?.holds !== true) continue;
      if (last === null || router.claimedAt > (last.routers.get(group)?.claimedAt ?? 0)) last = host;
    }
    return last;
  }

  /** A keeper has begun to lead. */
  onLeads(room: Room): void {
    this.counts.promotions += 1;
    const group = this.plan.groups.find(({ name }) => name === room.group);
    if (group === undefined) return;
    const what = fullerSibling(this, group, room);
    if (what !== null)
      this.violate('an empty Redis, or one that has less, does not lead while a fuller one lives', what);
  }

  /** A keeper leads no more, as planned. */
  onHandedOver({ group, host, redis }: Room): void {
    const durable = redis.group.durability === 'replicated';
    this.handOvers.cameAbout(group, { from: host.name, at: this.loop.now, durable });
  }

  /** Something has changed: the checkers look. */
  look(): void {
    if (this.violation !== null) return;
    for (const { group, hosts } of this.#sights) {
      const sights: HostSight[] = [];
      for (const host of hosts) {
        const sight = sightOf(host, group);
        if (sight !== null) sights.push(sight);
      }
      for (const checker of this.#looking) {
        const what = checker.look(group, sights, this.loop.now);
        if (what !== null) return this.violate(checker.property, what);
      }
    }
  }

  #watch(): void {
    this.loop.after(LOOK_PERIOD_MS, () => {
      this.look();
      this.#watch();
    });
  }

  #watchLoad(): void {
    this.loop.after(LOAD_PERIOD_MS, () => {
      for (const { agent } of this.hosts) {
        const { name, peak, state } = agent.sentinel;
        if (state !== null) this.check({ kind: 'load', sentinel: name, ...peak });
        Object.assign(peak, { effects: 0, conns: 0, links: 0, pending: 0 });
        for (const room of agent.rooms.values()) this.#checkLoad(room);
      }
      this.#watchLoad();
    });
  }

  #checkLoad(room: Room): void {
    const { inbox, effects, asks } = room.peak;
    const pending = room.pendingPeak;
    const within = inbox <= INBOX_MAX && effects <= EFFECTS_MAX && asks <= ASKS_MAX && pending <= PENDING_MAX;
    if (within) return;
    const what = `${room.redis.name}: ${inbox} inputs, ${effects} effects, ${asks} asks, ${pending} requests at once`;
    this.violate('what waits is bounded', what);
  }

  protected override check(fact: Fact): void {
    if (this.violation !== null) return;
    if (fact.kind === 'elected') this.counts.elections += 1;
    else if (fact.kind === 'acknowledged') this.#acknowledged(fact);
    for (const checker of this.#checkers) {
      const what = checker.take(fact);
      if (what !== null && checker.kind === 'fault') return this.violate(checker.property, what);
    }
  }

  /** What is acknowledged after the lease is measured where nobody is there to fence; else it is a fault. */
  #acknowledged({ group, by, write }: Extract<Fact, { kind: 'acknowledged' }>): void {
    this.counts.acknowledged += 1;
    this.acknowledgedWrites.add(write);
    if (this.plan.mode === 'pair') return;
    const host = this.hosts.find((one) => one.redises.get(group)?.name === by);
    if (host === undefined) return;
    const roleSince = host.redises.get(group)?.process.roleSince ?? 0;
    const leasedUntil = host.leasedUntil(group);
    // The Sentinels promote a replica before its keeper has a lease.
    const isNew = leasedUntil < roleSince;
    const over_ms = this.loop.now - Math.max(roleSince, leasedUntil);
    if (leasedUntil > this.loop.now) return;
    const sight = sightOf(host, group);
    if (sight?.agentSteady === true && sight.redisSteady && over_ms > (isNew ? NEW_MASTER_MS : FENCE_LATE_MS)) {
      return this.violate(
        'no write is acknowledged without the lease',
        `${by}: write ${write}, ${over_ms} ms after it`,
      );
    }
    const silent_ms = this.loop.now - (host.redises.get(group)?.process.replicas.lastAckAt ?? 0);
    const unbounded = host.isBounded(group) ? whyUnbounded({ name: by, ttl_ms: this.plan.ttl_ms, silent_ms }) : null;
    if (unbounded !== null) return this.violate('what a master without its agent may lose is bounded', unbounded);
    this.counts.limits += 1;
    this.unleased_ms = Math.max(this.unleased_ms, over_ms);
  }

  #savedBy(name: string): ReadonlySet<number> {
    for (const { redises } of this.hosts)
      for (const redis of redises.values()) if (redis.name === name) return redis.saved;
    return new Set();
  }

  /**
   * Whether somebody could have put its data aside: the agent beside it has been running for a while. And whether that one
   * could have known: Redis connects again by itself, before any news, to a master that has lost its data and leads anew.
   */
  #isKept(name: string): boolean {
    for (const host of this.hosts) {
      for (const [group, redis] of host.redises) {
        if (redis.name !== name) continue;
        const { following, followingSince } = redis.process;
        const master = this.hosts.find(({ host: { ip } }) => ip === following?.ip)?.redises.get(group);
        if (master !== undefined && master.lostAt > followingSince) {
          this.counts.limits += 1;
          return false;
        }
        return sightOf(host, group)?.agentSteady === true;
      }
    }
    return false;
  }

  /** Tells the checkers how it ended. @param disagreement what stands against convergence, or null */
  end(disagreement: string | null): void {
    if (disagreement !== null) this.violate('convergence after healing', disagreement);
    const groups = this.plan.groups.map((group) => outcomeOf(this, group));
    this.check({ kind: 'ended', converged: disagreement === null, lossAllowed: true, groups });
  }
}
