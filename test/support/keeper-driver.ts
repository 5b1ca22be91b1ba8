/**
 * Runs a keeper core in virtual time against a Redis, voters and siblings that are data. Every effect is carried out, each
 * answer comes a moment later, and what must never happen is watched for at every millisecond.
 */
import { Prng } from '../../src/base/prng.js';
import type {
  Effect,
  Input,
  KeeperMemory,
  KeeperState,
  LeaderRecord,
  Place,
  Sibling,
  Tag,
} from '../../src/keeper/core/io.js';
import type { Keeper, KeeperSettings } from '../../src/keeper/core/state.js';
import { createKeeper, nextDeadline, step } from '../../src/keeper/core/step.js';
import { B, C, FakeRedis, FakeVoter, SELF, sibling } from './keeper-fakes.js';

export interface DriverOptions {
  readonly settings?: Partial<KeeperSettings>;
  readonly memory?: KeeperMemory;
  readonly seed?: number;
  /** Whom the local Sentinel and the voters name. Default: us, in epoch 0. Null: nobody knows. */
  readonly record?: LeaderRecord | null;
  /** Runs before the keeper does. */
  readonly running?: boolean;
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class KeeperDriver {
  now = 1_000;
  readonly settings: KeeperSettings;
  readonly keeper: Keeper;
  readonly redis = new FakeRedis();
  readonly voters: FakeVoter[];
  readonly siblings: Sibling[] = [];
  /** Every effect, with its time. */
  readonly log: { readonly at: number; readonly effect: Effect }[] = [];
  /** Sees each list of effects before it is carried out. */
  onEffects: ((effects: readonly Effect[]) => void) | null = null;
  linked = false;
  unlinkedSince = 0;
  loseReplies = false;
  loseSaves = false;
  /** No connection can be made to a Redis that runs. */
  unreachable = false;
  startFails: string | null = null;
  vipUntil: number | null = null;
  /** Turned off by tests in which something else than the keeper makes a Redis writable. */
  watchesWrites = true;
  /** How `save-aside` ends: a path, or a reason why not. */
  save: { readonly path: string } | { readonly why: string } = { path: '/var/lib/tanist/saved.rdb' };
  /** Of the answers of Redis and of the runner. */
  delay_ms = 1;
  readonly #events: Event[] = [];
  #pipe: { readonly tag: Tag; readonly args: readonly string[]; readonly session: number }[] = [];
  #order = 0;
  #session = 0;

  constructor(options: DriverOptions = {}) {
    this.settings = {
      group: 'mymaster',
      self: SELF,
      mode: 'quorum',
      voters: ['a', 'b', 'c'],
      siblings: [B, C],
      ttl_ms: 1_000,
      durability: 'async',
      hangAfter_ms: 1_000,
      busyLimit_ms: 10_000,
      attach: false,
      ...options.settings,
    };
    const record = options.record === undefined ? { epoch: 0, master: SELF } : options.record;
    this.voters = this.settings.voters.map((id) => new FakeVoter(id, record));
    this.siblings.push(...this.settings.siblings.map((place) => sibling(place)));
    this.keeper = createKeeper(this.settings, options.memory ?? null, new Prng(options.seed ?? 1), this.now);
    if (options.running === true) {
      this.redis.state = 'up';
      this.later(0, () => this.input({ on: 'process-running', pid: this.redis.pid, adopted: true }));
      this.later(1, () => this.connect());
    }
    if (record !== null) this.later(0, () => this.tellRecord(record));
    this.later(0, () => this.input({ on: 'tick' }));
  }

  get state(): KeeperState {
    return this.keeper.state;
  }

  get reason(): string {
    return this.keeper.reason;
  }

  /** Replaces what is told of a sibling. */
  setSibling(place: Place, more: Partial<Sibling> = {}): void {
    const index = this.siblings.findIndex((each) => each.place === place);
    this.siblings.splice(index, 1, sibling(place, more));
    this.input({ on: 'siblings', siblings: [...this.siblings] });
  }

  /** A place in the log, for `story`. */
  get mark(): number {
    return this.log.length;
  }

  /** What the core said to do since that place, in short words. */
  story(mark = 0): string[] {
    return this.log.slice(mark).flatMap(({ effect }) => describe(effect) ?? []);
  }

  /** The same without grants of the VIP. */
  orders(mark = 0): string[] {
    return this.story(mark).filter((each) => each !== 'grant-vip');
  }

  /** The lines of its log, of a level or all. */
  logged(level?: string): string[] {
    return this.log.flatMap(({ effect }) =>
      effect.do === 'log' && (level === undefined || effect.level === level) ? [effect.text] : [],
    );
  }

  later(delay_ms: number, run: () => void): void {
    this.#events.push({ at: this.now + delay_ms, order: this.#order++, run });
  }

  /** The record that the local Sentinel and all voters hold from now on. */
  setRecord(record: LeaderRecord): void {
    for (const voter of this.voters) voter.record = record;
    this.tellRecord(record);
  }

  tellRecord(record: LeaderRecord, paused = false): void {
    this.input({ on: 'record', record, paused });
  }

  input(input: Input): Effect[] {
    const effects = step(this.keeper, this.now, input);
    this.onEffects?.(effects);
    for (const effect of effects) {
      this.log.push({ at: this.now, effect });
      this.#judge(effect);
      this.#carryOut(effect);
    }
    return effects;
  }

  /** Lets time pass, millisecond by millisecond where something happens. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = Math.min(end, this.#nextEventAt(), Math.max(this.now, Math.ceil(nextDeadline(this.keeper))));
      this.now = Math.max(this.now, next);
      this.#runEvents();
      if (this.now >= nextDeadline(this.keeper)) this.input({ on: 'tick' });
      this.watch();
      if (this.now >= end) return;
      if (nextDeadline(this.keeper) <= this.now) throw new Error(`a deadline that has passed at ${this.now}`);
    }
  }

  /** The keeper is not run for a while; what has come for it is then given to it, all at once. */
  skip(ms: number): void {
    this.now += ms;
    this.unlinkedSince = this.now;
    this.advance(0);
  }

  /** @returns how long it took. */
  advanceUntil(condition: () => boolean, limit_ms = 10_000): number {
    const start = this.now;
    while (!condition()) {
      if (this.now - start >= limit_ms)
        throw new Error(`not within ${limit_ms} ms: ${this.state}, ${this.keeper.reason}`);
      this.advance(1);
    }
    return this.now - start;
  }

  /** The process dies; the link and the runner notice. */
  kill(how = 'signal 9'): void {
    this.redis.state = 'gone';
    this.later(1, () => this.disconnect('the connection was reset', false));
    this.later(1, () => this.input({ on: 'process-ended', how }));
  }

  disconnect(why: string, refused: boolean): void {
    if (this.linked) this.unlinkedSince = this.now;
    this.linked = false;
    this.#session += 1;
    this.input({ on: 'redis-down', why, refused });
  }

  connect(): void {
    if (this.redis.state === 'gone' || this.linked || this.unreachable) return;
    this.linked = true;
    this.#session += 1;
    this.input({ on: 'redis-up' });
  }

  /** Whether a client could write now. */
  get writable(): boolean {
    if (this.redis.refuses.has('')) return false;
    return this.redis.state === 'up' && this.redis.role === 'master' && this.redis.pausedUntil <= this.now;
  }

  /** Until when a majority of voters will vote for nobody else, by their own clocks. */
  get trulyLeasedUntil(): number {
    const ends = this.voters.map(({ grant }) => (grant?.to === SELF ? grant.until : 0)).sort((a, b) => b - a);
    return ends[Math.floor(ends.length / 2)] ?? 0;
  }

  /** What must never be. A pause that was sent is given the time to arrive. */
  watch(): void {
    if (!this.watchesWrites || this.settings.ttl_ms === null || this.settings.mode === 'pair') return;
    // Without a link no pause arrives: until it counts as a hang, that is the limit of it.
    const reachable = this.linked || this.now - this.unlinkedSince > this.settings.hangAfter_ms + 50;
    if (this.writable && reachable && this.trulyLeasedUntil <= this.now) {
      throw new Error(`writes are taken at ${this.now} without a lease: ${this.state}, ${this.keeper.reason}`);
    }
    if (this.vipUntil !== null && this.vipUntil > this.now && this.trulyLeasedUntil <= this.now) {
      throw new Error(`the VIP is here at ${this.now} without a lease: ${this.state}, ${this.keeper.reason}`);
    }
  }

  #nextEventAt(): number {
    return this.#events.reduce((first, event) => Math.min(first, event.at), Number.POSITIVE_INFINITY);
  }

  #runEvents(): void {
    for (;;) {
      const due = this.#events.filter((event) => event.at <= this.now).sort((x, y) => x.at - y.at || x.order - y.order);
      const [first] = due;
      if (first === undefined) return;
      this.#events.splice(this.#events.indexOf(first), 1);
      first.run();
    }
  }

  /** What the core must never say. */
  #judge(effect: Effect): void {
    const leased = this.settings.mode === 'quorum' && this.settings.ttl_ms !== null;
    if (!leased) return;
    const until = this.trulyLeasedUntil;
    if (effect.do === 'grant-vip' && effect.until > until) {
      throw new Error(`the VIP is granted until ${effect.until}, the lease lasts until ${until}`);
    }
    if (effect.do === 'send' && effect.args.join(' ') === 'REPLICAOF NO ONE' && until <= this.now) {
      throw new Error(`promoted at ${this.now} without a lease: ${this.reason}`);
    }
  }

  #carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'start-redis':
        return this.#start();
      case 'look':
        return this.later(this.delay_ms, () => this.input({ on: 'looked', look: this.#look() }));
      case 'kill-redis':
        return this.kill();
      case 'send':
        return this.#send(effect);
      case 'ask-lease':
        return this.#ask(effect);
      case 'ask-siblings':
        return this.later(this.delay_ms, () => this.input({ on: 'siblings', siblings: [...this.siblings] }));
      case 'grant-vip':
        this.vipUntil = effect.until;
        return;
      case 'revoke-vip':
        this.vipUntil = null;
        return;
      case 'save-aside':
        if (this.loseSaves) return;
        return this.later(5, () => {
          const { save } = this;
          this.input('path' in save ? { on: 'saved', path: save.path } : { on: 'save-failed', why: save.why });
        });
      case 'persist':
      case 'became':
      case 'log':
        return;
    }
  }

  #start(): void {
    const { startFails } = this;
    if (startFails !== null) return this.later(2, () => this.input({ on: 'process-failed', why: startFails }));
    this.redis.state = 'starting';
    this.redis.run += 1;
    this.redis.pid += 1;
    this.redis.role = 'replica';
    this.redis.follows = { host: '127.0.0.1', port: 1 };
    this.redis.linkUp = false;
    this.redis.pausedUntil = 0;
    const { pid } = this.redis;
    this.later(2, () => this.input({ on: 'process-running', pid, adopted: false }));
    this.later(20, () => {
      if (this.redis.pid !== pid || this.redis.state !== 'starting') return;
      this.redis.state = 'up';
      this.connect();
    });
  }

  /** Our Redis takes over the data of a living master that it follows. */
  #sync(): void {
    const { redis } = this;
    if (redis.role === 'master' || redis.linkUp) return;
    const { host, port } = redis.follows;
    const master = this.siblings.find(({ place }) => place.host === host && place.port === port);
    if (master === undefined) return;
    // As Redis does, it tries again every second.
    if (!master.alive || master.role !== 'master') return this.later(1_000, () => this.#sync());
    redis.linkUp = true;
    redis.replId = master.replId;
    redis.replId2 = master.replId2;
    redis.secondOffset = master.secondOffset;
    redis.offset = master.offset;
    redis.keys = master.keys;
  }

  #look() {
    const { state } = this.redis;
    if (state === 'gone') return { state: 'gone' } as const;
    if (state === 'stopped') return { state: 'stopped' } as const;
    return { state: 'running', cpuMoved: state === 'busy' } as const;
  }

  #send({ tag, args }: Extract<Effect, { do: 'send' }>): void {
    if (!this.linked) throw new Error(`sent without a link: ${args.join(' ')}`);
    this.#pipe.push({ tag, args, session: this.#session });
    this.#drain();
  }

  /** On one host a request is there as soon as it is sent; a process that does not run finds it when it wakes. */
  #drain(): void {
    while (this.redis.state === 'up') {
      const sent = this.#pipe.shift();
      if (sent === undefined) return;
      const { tag, args, session } = sent;
      if (session !== this.#session) continue;
      const reply = this.redis.answer(args, this.now);
      if (args[0] === 'REPLICAOF' || args[0] === 'EXEC') this.later(5, () => this.#sync());
      this.later(this.delay_ms, () => {
        if (session === this.#session && !this.loseReplies) this.input({ on: 'reply', tag, reply });
      });
    }
  }

  /** It runs, if there is a process at all. */
  wakeAll(): void {
    if (this.redis.state === 'stopped' || this.redis.state === 'busy') this.wake();
  }

  /** It wakes, and does what has waited. */
  wake(): void {
    this.redis.state = 'up';
    this.#drain();
  }

  #ask(effect: Extract<Effect, { do: 'ask-lease' }>): void {
    const voter = this.voters.find(({ id }) => id === effect.voter);
    if (voter === undefined) throw new Error(`no voter ${effect.voter}`);
    // One connection: what was sent later arrives later.
    voter.busyUntil = Math.max(voter.busyUntil, this.now + voter.delay_ms);
    this.later(voter.busyUntil - this.now, () => {
      if (!voter.reachable) return;
      const answer = voter.ask(effect, this.now);
      if (effect.ttl_ms === 0) return;
      this.later(voter.delay_ms, () => voter.reachable && this.input(answer));
    });
  }
}

/** An effect in a few words; null for what stories leave out. */
export function describe(effect: Effect): string | null {
  switch (effect.do) {
    case 'send': {
      const text = effect.args.join(' ');
      return ['PING', 'INFO'].includes(text) ? null : text;
    }
    case 'ask-lease':
      return effect.ttl_ms === 0 ? `release ${effect.voter}: ${effect.reason}` : null;
    case 'became':
      return `${effect.from} -> ${effect.state}`;
    case 'revoke-vip':
    case 'kill-redis':
    case 'start-redis':
    case 'grant-vip':
    case 'save-aside':
      return effect.do;
    case 'persist':
      return `persist ${effect.memory.role} ${effect.memory.epoch}`;
    case 'look':
    case 'ask-siblings':
    case 'log':
      return null;
  }
}

/** A keeper whose Redis leads, and has for a while. */
export function leading(options: DriverOptions = {}): KeeperDriver {
  const d = new KeeperDriver(options);
  d.advanceUntil(() => d.state === 'master');
  d.advance(3_000);
  return d;
}

/** What is told of a sibling that took over from our Redis at its offset: it holds all of our data. */
export function successor({ redis }: KeeperDriver): Partial<Sibling> {
  return { role: 'master', replId: 'n'.repeat(40), replId2: redis.replId, secondOffset: redis.offset + 1 };
}
