/** A host of the cluster: its clock, its agent, and what goes on beside it. */
import type { Input } from '../../keeper/core/io.js';
import type { Context } from '../context.js';
import type { Host } from '../network.js';
import type { Clock } from '../sentinel-process.js';
import { AgentProcess } from './agent-process.js';
import { drawClock, ManagedRedis, REDIS_PORT } from './host.js';
import { PairRouter } from './pair-router.js';
import type { GroupPlan } from './plan.js';
import { ProxyClient } from './proxy.js';
import { Router } from './router.js';
import { PIPE_MS, type VipRouter } from './vip-router.js';
import type { AgentWorld } from './world.js';

/** A replica that has been heard since does not count as lost yet. */
const HEARD_MS = 1_000;
/** By then a keeper has seen a replica, found it well for a second, and set its limits. */
const LIMITED_AFTER_MS = 4_000;

export class AgentHost {
  readonly clock: Clock;
  readonly agent: AgentProcess;
  readonly redises = new Map<string, ManagedRedis>();
  readonly routers = new Map<string, VipRouter>();
  readonly proxies = new Map<string, ProxyClient>();
  readonly leases = new Map<string, number>();
  /** Groups whose leader here was left by its agent with nothing but min-replicas-to-write to bound what it may lose. */
  readonly #bounded = new Set<string>();
  #leftAt = 0;

  constructor(
    readonly world: AgentWorld,
    readonly context: Context,
    readonly name: string,
    readonly index: number,
    readonly host: Host,
    rate: number,
  ) {
    this.clock = drawClock(context, rate);
    world.plan.groups.forEach((group, number) => {
      if (group.hosts.includes(index)) this.#addRedis(group, number);
    });
    this.agent = new AgentProcess(this);
  }

  #addRedis(group: GroupPlan, number: number): void {
    const { name } = group;
    this.redises.set(
      name,
      new ManagedRedis(this.context, `${name}${this.name}`, group, this.host, REDIS_PORT + 10 * number),
    );
    this.routers.set(name, this.#newRouter(group));
  }

  #newRouter(group: GroupPlan): VipRouter {
    const { name } = group;
    const held = (is: boolean): void => {
      this.note(1, is ? `has the VIP of ${name}` : `has the VIP of ${name} no more`);
      this.#tell(name, { on: 'vip', held: is });
    };
    const events = { held, changed: (): void => this.world.look() };
    if (this.world.plan.mode === 'quorum') return new Router(this.context, events);
    return new PairRouter(this, group, { ...events, role: (state) => this.#tell(name, { on: 'pair', state }) });
  }

  #tell(group: string, input: Input): void {
    this.later(PIPE_MS, () => this.agent.rooms.get(group)?.deliver(input));
  }

  /** Proxies are made last: they are told of hosts by their agents. */
  addProxies(): void {
    for (const { name } of this.world.plan.groups) this.proxies.set(name, new ProxyClient(this));
  }

  /** The host's monotonic clock. */
  get now(): number {
    return this.clock.offset + this.context.loop.now * this.clock.rate;
  }

  /** Until when the keeper of a group here counts on its lease: also one that has died since, for its Redis may go on. */
  leasedUntil(group: string): number {
    return this.leases.get(group) ?? Number.NEGATIVE_INFINITY;
  }

  /** The agent is about to die: what is owed by those that led until now, and have had a replica for long enough? */
  leave(): void {
    const since = this.context.loop.now - LIMITED_AFTER_MS;
    this.#bounded.clear();
    this.#leftAt = this.context.loop.now;
    if (this.agent.disturbedAt > since || this.agent.gate.closed) return;
    for (const [group, { process, disturbedAt }] of this.redises) {
      const { attachedSince, lastAckAt } = process.replicas;
      const steady = process.alive && process.role === 'master' && disturbedAt < since && process.roleSince < since;
      if (
        steady &&
        attachedSince !== null &&
        attachedSince < since &&
        // With one that has been silent for longer the limit has been lifted already.
        this.context.loop.now - lastAckAt < HEARD_MS &&
        this.leasedUntil(group) > this.context.loop.now
      ) {
        this.#bounded.add(group);
      }
    }
  }

  /** Not any more once it has been a replica, and was promoted by others: nobody has set its limits then. */
  isBounded(group: string): boolean {
    const roleSince = this.redises.get(group)?.process.roleSince ?? 0;
    return !this.agent.alive && this.#bounded.has(group) && roleSince < this.#leftAt;
  }

  /** When the host's clock shows that. */
  virtual(local: number): number {
    return (local - this.clock.offset) / this.clock.rate;
  }

  /** The agent does it then, if it still runs, as soon as it can. */
  later(delay_ms: number, run: () => void): void {
    this.laterAt(this.context.loop.now + delay_ms, run);
  }

  laterAt(at: number, run: () => void): void {
    const { agent } = this;
    const { life } = agent;
    this.context.loop.at(at, () => {
      if (!agent.alive || agent.life !== life) return;
      agent.gate.pass(() => {
        if (agent.alive && agent.life === life) run();
      });
    });
  }

  note(level: 1 | 2, text: string): void {
    this.context.note(level, this.name, () => text);
  }

  /** A power cut. */
  unplug(survives: (redis: ManagedRedis) => ManagedRedis['survives']): void {
    this.host.up = false;
    this.agent.crash(true);
    for (const redis of this.redises.values()) if (redis.process.alive) redis.kill(true, survives(redis));
    for (const router of this.routers.values()) router.vanish();
    for (const proxy of this.proxies.values()) proxy.stop();
  }

  plugIn(): void {
    this.host.up = true;
    this.context.network.retransmit();
    if (!this.agent.alive) this.agent.start();
  }
}
