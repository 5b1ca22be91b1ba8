/**
 * A simulated keeper: asks every sentinel for the lease of its Redis, lets it take writes while a majority of the grants
 * lives, gives the lease back when the Redis dies, and makes it follow whoever the newest record names. The node agent's
 * own keeper does more; what the sentinels have to bear of one is here.
 */
import { drawRate } from './clock-rate.js';
import type { Context } from './context.js';
import { Gate } from './gate.js';
import { End, type Host } from './network.js';
import { NOWHERE, type Place, type RedisProcess } from './redis/process.js';

/** How leases go in a run. */
export interface LeasePlan {
  readonly ttl_ms: number;
  readonly ackReplicas: number;
}

/** What the sentinels said of the group, in the newest epoch that any of them told. */
interface Record {
  readonly epoch: number;
  readonly address: string;
}

interface Voter {
  readonly place: Place;
  end: End | null;
  connecting: boolean;
  /** By our clock: when the grant ends, and when it last answered anything. */
  until: number;
  heardAt: number;
  /** The vote that keeps it from granting, unless a majority grants without it; 0 for none. */
  vote: number;
  /** When each unanswered ask was sent, and in which life of the lease. */
  readonly asks: { readonly sentAt: number; readonly life: number; readonly renewal: boolean }[];
}

const CONNECT_TIMEOUT_MS = 500;
/** Asked this often while the record names us, or will, and the lease is not held. */
const EAGER_MS = 25;
/** A Redis that does not answer for this long is given up. */
const HANG_MS = 400;
/** A Redis that became a master although the record names another: its election may not have been told yet. */
const UNEXPECTED_MASTER_MS = 3_500;
const WRONG_MASTER_MS = 1_000;
/** A replica that was stopped: what it has is being compared, and somebody may be promoted until then. */
const HALTED_MS = 3_500;
const NEVER = Number.NEGATIVE_INFINITY;

export class KeeperProcess {
  readonly gate = new Gate();
  alive = false;
  readonly name: string;
  #voters: Voter[] = [];
  #life = 0;
  #leaseLife = 0;
  #series = 0;
  #clock = { startedAt: 0, offset: 0, rate: 1 };
  #record: Record = { epoch: -1, address: '' };
  #namedSince = 0;
  #wrongSince: number | null = null;
  /** The epoch in which the Redis, since it was started, has followed whom the record names. */
  #followedIn = NEVER;
  #frozenSince: number | null = null;
  #quietUntil = 0;
  #handOverUntil = 0;

  constructor(
    readonly context: Context,
    readonly redis: RedisProcess,
    private readonly sentinels: readonly Place[],
    private readonly plan: LeasePlan,
    private readonly drift: number,
    /** Planted faults alone take less than the protocol demands. */
    private readonly margin_ms = plan.ttl_ms * 0.05 + 10,
  ) {
    this.name = `k-${redis.name}`;
  }

  /** Which start this is. */
  get life(): number {
    return this.#life;
  }

  get host(): Host {
    return this.redis.host;
  }

  start(): void {
    const { loop, prng } = this.context;
    this.alive = true;
    const life = ++this.#life;
    const rate = drawRate(prng, this.drift);
    this.#clock = { startedAt: loop.now, offset: prng.below(1_000_000), rate };
    this.#voters = this.sentinels.map((place) => newVoter(place));
    this.#record = { epoch: -1, address: '' };
    this.#handOverUntil = 0;
    this.#quietUntil = 0;
    this.#wrongSince = null;
    this.#frozenSince = null;
    this.redis.onDeath = () =>
      loop.after(1, () => life === this.#life && this.gate.pass(() => this.#release('it ended')));
    // As the host's own sentinel would tell of the record, soon after.
    this.redis.onPromotion = () => loop.after(2, () => this.#beatFrom(life));
    this.#beatFrom(life);
  }

  /** Now, and again and again, in place of the beats that were planned. */
  #beatFrom(life: number): void {
    if (life !== this.#life) return;
    const series = ++this.#series;
    const beat = (): void => {
      if (life !== this.#life || series !== this.#series) return;
      if (!this.gate.closed) this.#beat();
      this.context.loop.after(this.#period_ms(), beat);
    };
    beat();
  }

  /** The agent dies. What it was granted is counted on by nobody but the fence, which needs no agent. */
  crash(silently: boolean): void {
    this.alive = false;
    this.#life += 1;
    this.gate.reset(silently);
    for (const { end } of this.#voters) {
      if (silently) end?.vanish();
      else end?.reset();
    }
    this.#voters = [];
    this.redis.onDeath = null;
    this.redis.onPromotion = null;
  }

  /** An operator's switchover: for a while the sentinels may elect another. */
  handOver(length_ms: number): void {
    if (!this.alive) return;
    this.#handOverUntil = this.#now() + length_ms;
    this.#askAll();
  }

  #now(): number {
    const { startedAt, offset, rate } = this.#clock;
    return offset + (this.context.loop.now - startedAt) * rate;
  }

  #period_ms(): number {
    const may = this.#isNamed() || this.redis.role === 'master';
    const eager = this.redis.alive && may && this.#leasedUntil() <= this.#now();
    return eager ? EAGER_MS : this.plan.ttl_ms / 4;
  }

  #isNamed(): boolean {
    return this.#record.address === this.redis.address;
  }

  #beat(): void {
    for (const voter of this.#voters) this.#connect(voter);
    this.#watchRedis();
    this.#giveWay();
    this.#askAll();
    this.#keepRole();
  }

  /** A Redis that hangs is no master, whether it is busy or stopped. */
  #watchRedis(): void {
    if (!this.redis.gate.closed) this.#frozenSince = null;
    else this.#frozenSince ??= this.#now();
    if (this.#frozenSince !== null && this.#now() - this.#frozenSince > HANG_MS) this.#release('it hangs');
  }

  /** Named, and leased by too few for long: what a minority grants keeps others from electing somebody. */
  #giveWay(): void {
    if (!this.#isNamed() || this.#leasedUntil() > this.#now()) {
      this.#namedSince = this.#now();
      return;
    }
    if (this.#now() - this.#namedSince < this.plan.ttl_ms * 2.5) return;
    this.#namedSince = this.#now();
    this.#quietUntil = this.#now() + this.plan.ttl_ms / 2 + this.context.prng.below(this.plan.ttl_ms);
    this.#release('no majority grants it');
  }

  #askAll(): void {
    const { redis } = this;
    const able = redis.alive && !redis.loading && this.#frozenSince === null && this.#now() >= this.#quietUntil;
    if (!able) return;
    const consent = this.#now() < this.#handOverUntil ? ['handover'] : [];
    for (const voter of this.#voters) {
      const held = voter.vote > 0 && this.#leasedUntil() > this.#now() ? ['held', String(voter.vote)] : [];
      this.#send(voter, this.plan.ttl_ms, [...consent, ...held]);
    }
  }

  #send(voter: Voter, ttl_ms: number, more: readonly string[]): void {
    const { ip } = this.redis.host;
    const { epoch } = this.#record;
    if (voter.end?.open !== true) return;
    voter.asks.push({ sentAt: this.#now(), life: this.#leaseLife, renewal: ttl_ms > 0 });
    const words = [this.redis.group, ip, this.redis.port, Math.max(0, epoch), ttl_ms].map(String);
    voter.end.send({ kind: 'request', args: ['SENTINEL', 'LEASE', ...words, ...more] });
  }

  /** Gives the lease back: from now on no earlier answer counts. */
  #release(reason: string): void {
    this.#leaseLife += 1;
    for (const voter of this.#voters) voter.until = NEVER;
    this.#tell();
    for (const voter of this.#voters) this.#send(voter, 0, [reason]);
  }

  #connect(voter: Voter): void {
    if (voter.end?.open === true || voter.connecting) return;
    voter.connecting = true;
    const life = this.#life;
    this.context.network.connect(this, voter.place, CONNECT_TIMEOUT_MS, (result) => {
      if (life !== this.#life) return result instanceof End ? result.close() : undefined;
      voter.connecting = false;
      voter.asks.length = 0;
      voter.end = result instanceof End && result.open ? result : null;
      if (voter.end === null) return;
      const { end } = voter;
      end.onMessage = (message) => {
        if (message.kind === 'reply' && voter.end === end) this.#onReply(voter, message.reply);
      };
      end.onClose = () => {
        if (voter.end === end) voter.end = null;
      };
    });
  }

  #onReply(voter: Voter, reply: unknown): void {
    const ask = voter.asks.shift();
    if (ask === undefined || !Array.isArray(reply)) return;
    const list: readonly unknown[] = reply;
    const field = (name: string): unknown => list[list.indexOf(name) + 1];
    voter.heardAt = this.#now();
    voter.vote = Number(field('vote'));
    if (ask.renewal && ask.life === this.#leaseLife && field('granted') === 1) {
      voter.until = Math.max(voter.until, ask.sentAt + this.plan.ttl_ms - this.margin_ms);
      this.#tell();
    }
    const wasNamed = this.#isNamed();
    this.#learn(Number(field('epoch')), `${String(field('host'))}:${String(field('port'))}`);
    this.#keepRole(wasNamed);
  }

  #learn(epoch: number, address: string): void {
    if (epoch <= this.#record.epoch) return;
    this.#record = { epoch, address };
    if (this.#isNamed()) return this.#askAll();
    this.#handOverUntil = 0;
    if (this.#leasedUntil() > this.#now()) this.#release('another is the master');
  }

  /** Until when a majority of the grants lives, by our clock. */
  #leasedUntil(): number {
    const ends = this.#voters.map(({ until }) => until).sort((a, b) => b - a);
    return ends[Math.floor(this.sentinels.length / 2)] ?? NEVER;
  }

  /** Fences the Redis from the end of the lease on, and tells the checkers. */
  #tell(): void {
    const { loop } = this.context;
    const { startedAt, offset, rate } = this.#clock;
    const until = this.#leasedUntil();
    const end = until === NEVER ? loop.now : Math.max(loop.now, startedAt + (until - offset) / rate);
    if (end === this.redis.leasedUntil) return;
    const { leased } = this.redis;
    if (leased !== end > loop.now)
      this.context.note(1, this.name, () => (leased ? 'lets its lease go' : 'has the lease'));
    this.redis.leasedUntil = end;
    this.context.fact({ kind: 'leased', keeper: this.name, group: this.redis.group, at: loop.now, until: end });
  }

  /**
   * Makes the Redis what the newest record says, once a majority was heard of late. A master that the record has named
   * until now steps down at once; any other may have been elected, and we not told yet.
   */
  #keepRole(wasNamed = false): void {
    const { redis } = this;
    if (!redis.alive) this.#followedIn = NEVER;
    if (!redis.alive || redis.loading || this.#frozenSince !== null) {
      this.#wrongSince = null;
      return;
    }
    if (this.#isNamed()) {
      this.#wrongSince = null;
      // While it hands over, Redis's own FAILOVER may have made it a replica before the record says so.
      const handsOver = this.#now() < this.#handOverUntil;
      if (redis.role === 'replica' && !handsOver && this.#leasedUntil() > this.#now()) this.#order('NO', 'ONE');
      return;
    }
    const { epoch, address } = this.#record;
    const following = redis.following === null ? '' : `${redis.following.ip}:${redis.following.port}`;
    if (following === address) this.#followedIn = epoch;
    if (epoch < 0 || following === address || !this.#hearsMajority()) {
      this.#wrongSince = null;
      return;
    }
    this.#wrongSince ??= this.#now();
    if (this.#now() - this.#wrongSince < this.#patience_ms(wasNamed)) return;
    const [ip = '', port = ''] = address.split(':');
    this.#order(ip, port);
  }

  /** How long a Redis may be something else than what the record says. */
  #patience_ms(wasNamed: boolean): number {
    const { redis } = this;
    if (wasNamed) return 0;
    if (redis.role === 'master') return UNEXPECTED_MASTER_MS;
    if (redis.following !== NOWHERE) return WRONG_MASTER_MS;
    const stopped = this.plan.ackReplicas > 0 && this.#followedIn === this.#record.epoch;
    return stopped ? HALTED_MS : 0;
  }

  #hearsMajority(): boolean {
    const since = this.#now() - this.plan.ttl_ms;
    return this.#voters.filter(({ heardAt }) => heardAt >= since).length > this.sentinels.length / 2;
  }

  #order(host: string, port: string): void {
    this.#wrongSince = null;
    const { redis } = this;
    redis.gate.pass(() => {
      if (!redis.alive) return;
      redis.slaveof(host, port, this.name);
      if (host !== 'NO') redis.clients.killAll();
    });
  }
}

function newVoter(place: Place): Voter {
  return { place, end: null, connecting: false, until: NEVER, heardAt: NEVER, vote: 0, asks: [] };
}
