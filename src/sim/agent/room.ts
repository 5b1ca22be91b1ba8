/**
 * One group on one host, while an agent lives: the real keeper core, with what `src/keeper/run` and `src/agent/group-room.ts`
 * do around it.
 */
import { Prng } from '../../base/prng.js';
import type { Effect, Input, KeeperMemory, Place, Tag } from '../../keeper/core/io.js';
import { heldUntil } from '../../keeper/core/lease.js';
import { type KeeperSnapshot, snapshot } from '../../keeper/core/snapshot.js';
import type { Keeper } from '../../keeper/core/state.js';
import { createKeeper, nextDeadline, step } from '../../keeper/core/step.js';
import { type AskLease, leaseCommand, readLeaseReply } from '../../keeper/run/lease-reply.pure.js';
import type { Reply } from '../../redis/reply.js';
import type { AgentHost } from './agent-host.js';
import type { ManagedRedis } from './host.js';
import { Link, type Outcome } from './link.js';
import { Siblings } from './siblings.js';
import type { VipRouter } from './vip-router.js';

const SENTINEL_PORT = 26_379;
/** As `local-redis.ts`, `lease-voters.ts` and `redis-process.ts` have them. */
const REPLY_DEADLINE_MS = 60_000;
const QUESTIONS_MAX = 8;
const ORDERS_MAX = 24;
const RELEASE_DEADLINE_MS = 1_000;
const ADOPTED_LOOK_MS = 20;
const SAVE_ASK_MS = 5_000;
/** A call within the process takes a turn of its event loop. */
const TURN_MS = 0.02;

/** What is written in the background takes so long. */
const MEMORY_WRITE_MS = 20;

export class Room {
  readonly keeper: Keeper;
  /** What is the most that has gathered. */
  readonly peak = { inbox: 0, effects: 0, asks: 0 };
  readonly #inbox: Input[] = [];
  #busy = false;
  #tickAt = Number.POSITIVE_INFINITY;
  #known: 'nothing' | 'child' | 'adopted' = 'nothing';
  #redis: Link | null = null;
  #told: 'nothing' | 'up' | 'down' | 'refused' = 'nothing';
  readonly #unanswered = new Map<Tag, number>();
  readonly #voters = new Map<string, Link>();
  readonly #siblings: Siblings;
  #stopped = false;
  /** What is to be written down, the latest of it. */
  #memory: KeeperMemory | null = null;

  constructor(
    readonly host: AgentHost,
    readonly redis: ManagedRedis,
    readonly router: VipRouter,
  ) {
    const { world, context } = host;
    const { plan } = world;
    const others = host.world.hosts.filter((one) => one !== host);
    const members = redis.group.hosts.map((index) => host.world.placeOf(redis.group, index));
    const siblings = members.filter((place) => place.host !== this.place.host);
    this.keeper = createKeeper(
      {
        group: redis.group.name,
        self: this.place,
        siblings,
        voters: world.hosts.map(({ name }) => name),
        ttl_ms: plan.ttl_ms,
        durability: redis.group.durability,
        hangAfter_ms: plan.hangAfter_ms,
        busyLimit_ms: plan.busyLimit_ms,
        attach: false,
        mode: plan.mode,
      },
      redis.memory,
      new Prng(context.prng.uint32()),
      host.now,
    );
    for (const other of others) this.#voters.set(other.name, this.#voterLink(other));
    this.#siblings = new Siblings(host, siblings, (input) => this.deliver(input));
    host.later(TURN_MS, () => this.deliver({ on: 'tick' }));
  }

  get group(): string {
    return this.redis.group.name;
  }

  get place(): Place {
    const { host, port } = this.redis.process;
    return { host: host.ip, port };
  }

  get view(): KeeperSnapshot {
    return snapshot(this.keeper, this.host.now);
  }

  /** The most requests that wait on one of its links. */
  get pendingPeak(): number {
    return Math.max(this.#redis?.peak ?? 0, this.#siblings.peak, ...[...this.#voters.values()].map(({ peak }) => peak));
  }

  /** Takes one input, and carries out what follows from it, in order. */
  deliver(input: Input): void {
    if (this.#stopped) return;
    this.#inbox.push(input);
    this.peak.inbox = Math.max(this.peak.inbox, this.#inbox.length);
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      const effects = step(this.keeper, this.host.now, next);
      this.peak.effects = Math.max(this.peak.effects, effects.length);
      this.#tellLease();
      for (const effect of effects) this.#carryOut(effect);
    }
    this.#busy = false;
    this.#arm();
    this.host.agent.look();
  }

  askSiblings(): void {
    this.#siblings.ask();
  }

  /** The agent is gone: nothing is heard of it any more. */
  close(silently: boolean): void {
    this.#stopped = true;
    this.redis.process.onDeath = null;
    const how = silently ? 'silently' : 'reset';
    this.#redis?.close(how);
    this.#siblings.close(how);
    for (const link of this.#voters.values()) link.close(how);
  }

  #tellLease(): void {
    const { voters } = this.keeper.lease;
    for (const { asks } of voters) this.peak.asks = Math.max(this.peak.asks, asks.length);
    const { now } = this.host.context.loop;
    const held = heldUntil(this.keeper);
    const until = held === Number.NEGATIVE_INFINITY ? now : this.host.virtual(held);
    const before = this.host.leasedUntil(this.group);
    if (until === before || (until <= now && before <= now)) return;
    this.host.leases.set(this.group, Math.max(now, until));
    this.host.context.fact({
      kind: 'leased',
      keeper: this.redis.name,
      group: this.group,
      at: now,
      until: Math.max(now, until),
    });
    this.host.world.look();
  }

  #carryOut(effect: Effect): void {
    const { host, redis } = this;
    switch (effect.do) {
      case 'start-redis':
        return this.#start();
      case 'look':
        return this.#look();
      case 'kill-redis':
        host.note(1, `ends ${redis.name}: ${effect.reason}`);
        redis.kill(false, redis.survives);
        return;
      case 'send':
        return this.#send(effect.tag, effect.args);
      case 'ask-lease':
        return this.#askLease(effect);
      case 'grant-vip':
        return this.router.lend(host.virtual(effect.until));
      case 'revoke-vip':
        return this.router.lend(null);
      case 'ask-siblings':
        return this.#siblings.ask();
      case 'save-aside':
        return this.#save();
      case 'persist':
        this.#memory = effect.memory;
        if (!effect.soon) redis.memory = effect.memory;
        else
          host.later(MEMORY_WRITE_MS, () => {
            redis.memory = this.#memory;
          });
        return;
      case 'became':
        host.note(1, `${this.group}: ${effect.from} -> ${effect.state}: ${effect.reason}`);
        if (effect.state === 'master') {
          host.world.onLeads(this);
          host.agent.tellPair(this.group);
        }
        return;
      case 'log':
        if (effect.level !== 'debug') host.note(2, `${this.group}: "${effect.text}"`);
    }
  }

  #start(): void {
    this.host.later(TURN_MS, () => {
      if (this.redis.process.alive) return this.#running(true);
      this.redis.process.start();
      this.redis.busy = false;
      this.redis.disturbedAt = this.host.context.loop.now;
      this.#running(false);
    });
  }

  #running(adopted: boolean): void {
    if (this.#known !== 'nothing') return;
    this.#known = adopted ? 'adopted' : 'child';
    const { process } = this.redis;
    process.onDeath = () => this.#died();
    this.#open();
    // A pid of its own for each start.
    this.deliver({ on: 'process-running', pid: process.startedAt + 1, adopted });
  }

  #died(): void {
    const { prng } = this.host.context;
    const wait_ms = this.#known === 'adopted' ? 0.5 + prng.below(ADOPTED_LOOK_MS) : 0.5 + prng.below(3);
    this.host.later(wait_ms, () => this.#ended());
  }

  #ended(): void {
    if (this.#known === 'nothing' || this.redis.process.alive) return;
    this.#known = 'nothing';
    this.redis.process.onDeath = null;
    this.#close();
    this.deliver({ on: 'process-ended', how: 'signal 9' });
  }

  #look(): void {
    const { host, redis } = this;
    if (this.#known === 'nothing' && redis.process.alive) this.#running(true);
    host.later(1 + host.context.prng.below(45), () => {
      const { gate, alive } = redis.process;
      if (!alive || this.#known === 'nothing') this.deliver({ on: 'looked', look: { state: 'gone' } });
      else if (gate.closed && !redis.busy) this.deliver({ on: 'looked', look: { state: 'stopped' } });
      else this.deliver({ on: 'looked', look: { state: 'running', cpuMoved: gate.closed } });
    });
  }

  #open(): void {
    if (this.#redis !== null) return;
    const { host, port } = this.redis.process;
    const link = new Link(this.host.context, {
      from: { host, gate: this.host.agent.gate },
      to: { ip: host.ip, port },
      connectTimeout_ms: 2_000,
      backoff: { base_ms: 5, max_ms: 100 },
      pending_max: 512,
      closeOnTimeout: false,
      onUp: () => {
        if (this.#redis !== link) return;
        this.#told = 'up';
        this.deliver({ on: 'redis-up' });
      },
      onDown: (why) => {
        if (this.#redis === link) this.#down(why);
      },
    });
    this.#redis = link;
  }

  #down(why: string): void {
    if (this.#known === 'adopted') this.#ended();
    const refused = why === 'refused';
    const isNews = this.#told === 'up' || (this.#told === 'down' && refused);
    if (this.#redis === null || !isNews) return;
    this.#told = refused ? 'refused' : 'down';
    this.deliver({ on: 'redis-down', why, refused });
  }

  #close(): void {
    this.#redis?.close();
    this.#redis = null;
    this.#unanswered.clear();
    this.#told = 'nothing';
  }

  #send(tag: Tag, args: readonly string[]): void {
    const link = this.#redis;
    const unanswered = this.#unanswered.get(tag) ?? 0;
    const most = tag === 'ping' || tag === 'info' || tag === 'save-state' ? QUESTIONS_MAX : ORDERS_MAX;
    if (link === null || unanswered >= most) return;
    if (tag !== 'ping' && tag !== 'info') this.host.note(2, `tells ${this.redis.name}: ${args.join(' ')}`);
    this.#unanswered.set(tag, unanswered + 1);
    link.request(args, REPLY_DEADLINE_MS, (outcome) => {
      if (this.#redis !== link) return;
      this.#unanswered.set(tag, Math.max(0, (this.#unanswered.get(tag) ?? 0) - 1));
      if ('reply' in outcome) this.deliver({ on: 'reply', tag, reply: outcome.reply });
      else if (outcome.timedOut) this.#lost();
    });
  }

  /** A request without a reply: a new connection takes the place of this one. */
  #lost(): void {
    this.#close();
    this.deliver({ on: 'redis-down', why: 'no answer in time', refused: false });
    this.#open();
    this.#told = 'down';
  }

  #voterLink(other: AgentHost): Link {
    return new Link(this.host.context, {
      from: { host: this.host.host, gate: this.host.agent.gate },
      to: { ip: other.host.ip, port: SENTINEL_PORT },
      connectTimeout_ms: 1_000,
      backoff: { base_ms: 25, max_ms: 1_000 },
      pending_max: 256,
      closeOnTimeout: true,
    });
  }

  #askLease(effect: AskLease): void {
    const { voter, ttl_ms } = effect;
    const args = leaseCommand(this.group, this.place, effect);
    const deadline_ms = ttl_ms === 0 ? RELEASE_DEADLINE_MS : ttl_ms;
    const link = this.#voters.get(voter);
    if (link !== undefined) link.request(args, deadline_ms, (outcome) => this.#answered(effect, outcome));
    else this.host.agent.askOwn(args, (reply) => this.#answered(effect, { reply }));
  }

  #answered({ voter, ask, ttl_ms }: AskLease, outcome: Outcome): void {
    if (ttl_ms === 0) return;
    const answer = 'reply' in outcome ? readLeaseReply(outcome.reply) : { ok: false as const, why: outcome.error };
    if (answer.ok) {
      const { granted, reason, record, leased_ms, vote } = answer;
      this.deliver({ on: 'lease', voter, ask, granted, reason, record, leased_ms, vote });
    } else {
      this.deliver({ on: 'lease-failed', voter, ask, why: answer.why });
    }
  }

  #save(): void {
    const { redis, host } = this;
    const fail = (why: string): void => this.deliver({ on: 'save-failed', why });
    const link = this.#redis;
    if (link === null) return host.later(TURN_MS, () => fail('no process'));
    link.request(['INFO'], SAVE_ASK_MS, (outcome) => {
      if (!('reply' in outcome) || !isText(outcome.reply)) return fail('it does not answer');
      if (host.world.saveFails) return fail('there is no room');
      const { runId } = redis.process;
      const dump = redis.dump();
      host.later(host.world.plan.save_ms, () => {
        if (!redis.process.alive || redis.process.runId !== runId) return fail('it ended meanwhile');
        for (const { id } of dump.writes) redis.saved.add(id);
        host.note(1, `put ${dump.writes.length} writes of ${redis.name} aside`);
        this.deliver({ on: 'saved', path: 'saved.rdb' });
      });
    });
  }

  /** A timer that rings too early arms itself again. */
  #arm(): void {
    const due = this.host.virtual(nextDeadline(this.keeper));
    if (due >= this.#tickAt || due === Number.POSITIVE_INFINITY) return;
    this.#tickAt = due;
    this.host.laterAt(due + 0.05, () => {
      if (this.#tickAt !== due || this.#stopped) return;
      this.#tickAt = Number.POSITIVE_INFINITY;
      if (this.host.now < nextDeadline(this.keeper)) this.#arm();
      else this.deliver({ on: 'tick' });
    });
  }
}

function isText(reply: Reply): boolean {
  return typeof reply === 'string';
}
