/** A sentinel process: the real core, with a clock, a disk and connections that can all go wrong. */
import { Prng } from '../base/prng.js';
import type { SentinelState } from '../config/sentinel-types.js';
import { type Reply, SimpleString } from '../redis/reply.js';
import { HELLO_CHANNEL } from '../sentinel/core/hello.js';
import type { CloseReason, ConnId, Effect, Input, Tag } from '../sentinel/core/io.js';
import { createSentinel } from '../sentinel/core/restore.js';
import type { Sentinel } from '../sentinel/core/state.js';
import { nextDeadline, step } from '../sentinel/core/step.js';
import { SOON_SAVE_MS } from '../sentinel/runner/carry-out.js';
import { answerRelies, requestRelies } from '../sentinel/runner/reliance.js';
import { drawRate } from './clock-rate.js';
import type { Context } from './context.js';
import { Gate } from './gate.js';
import { End, type Host, type Listener } from './network.js';
import { Watch } from './watch.js';

/** What is wrong with a sentinel's machine. */
export interface SentinelManners {
  /** Clocks run this much too fast or slow, at most (0.01 is one per cent). */
  readonly drift: number;
  /** A write to disk takes up to this; 0 for none. */
  disk_ms: number;
}

type SendEffect = Extract<Effect, { act: 'send' }>;

interface OpenConn {
  readonly end: End;
  /** What was asked and not answered, oldest first. */
  readonly tags: Tag[];
}

/** How fast a clock runs and what it showed at a moment of the run. */
export interface Clock {
  readonly startedAt: number;
  readonly offset: number;
  readonly rate: number;
}

/** The agent that this sentinel is a part of: one process, with one clock. */
export interface AgentSide {
  readonly gate: Gate;
  readonly clock: Clock;
  /** After every step of the core. */
  settled(): void;
  /** @returns whether the command is the agent's own: then it answers */
  intercept(args: readonly string[], answer: (reply: Reply) => void): boolean;
}

export class SentinelProcess implements Listener {
  readonly gate: Gate;
  alive = false;
  state: Sentinel | null = null;
  /** The most since the last look: see the `load` fact. */
  readonly peak = { effects: 0, conns: 0, links: 0, pending: 0 };
  #disk: SentinelState;
  #life = 0;
  #clock: Clock = { startedAt: 0, offset: 0, rate: 1 };
  #conns = new Map<ConnId, OpenConn>();
  /** Connections of others to us. */
  #served = new Set<End>();
  #asked = new Map<number, { readonly answer: (reply: Reply) => void; readonly args: readonly string[] }>();
  #nextToken = 1;
  #tickAt = Number.POSITIVE_INFINITY;
  /** What is to be written soon, and the requests that wait for it. */
  #soon: { readonly snapshot: SentinelState; readonly waiting: SendEffect[] } | null = null;
  /** Dies before this many more effects of a list that writes to disk are carried out. */
  #dieAfter: number | null = null;
  #onDeath: () => void = () => {};
  readonly #watch: Watch;

  constructor(
    readonly context: Context,
    readonly name: string,
    readonly host: Host,
    readonly port: number,
    readonly manners: SentinelManners,
    groupOf: ReadonlyMap<string, string>,
    nameOf: ReadonlyMap<string, string>,
    initial: SentinelState,
    private readonly agent: AgentSide | null = null,
  ) {
    this.#disk = initial;
    this.gate = agent?.gate ?? new Gate();
    this.#watch = new Watch(context, name, groupOf, nameOf);
    context.network.listen(this);
  }

  start(): void {
    const { loop, prng } = this.context;
    const { drift } = this.manners;
    this.alive = true;
    this.#life += 1;
    this.#clock = this.agent?.clock ?? {
      rate: drawRate(prng, drift),
      startedAt: loop.now,
      offset: prng.below(1_000_000),
    };
    this.#watch.started(this.#disk);
    const { state, effects } = createSentinel(this.#disk, {
      listenPort: this.port,
      requirePass: '',
      names: new Map(),
      prng: new Prng(prng.uint32()),
      now: this.#localNow(),
    });
    this.state = state;
    this.#tickAt = Number.POSITIVE_INFINITY;
    this.#carryOut(effects, 0, state);
  }

  /** kill -9, or with `silently` the whole host. */
  crash(silently: boolean): void {
    this.alive = false;
    this.#life += 1;
    this.state = null;
    this.gate.reset(silently);
    this.#dieAfter = null;
    this.#soon = null;
    const ends = [...[...this.#conns.values()].map(({ end }) => end), ...this.#served];
    for (const end of ends) {
      if (silently) end.vanish();
      else end.reset();
    }
    this.#conns.clear();
    this.#served.clear();
    this.#asked.clear();
  }

  /** Arms a crash in the middle of the next list of effects that writes to disk: after `effects` of them. */
  dieWithin(effects: number, onDeath: () => void): void {
    this.#dieAfter = effects;
    this.#onDeath = onDeath;
  }

  accept(end: End): void {
    this.#served.add(end);
    end.onMessage = (message) => {
      if (message.kind === 'request') this.#serve(end, message.args);
    };
    end.onClose = () => this.#served.delete(end);
  }

  /** A command of an operator on the machine itself. */
  command(args: readonly string[]): void {
    if (!this.alive) return;
    const token = this.#nextToken++;
    this.gate.pass(() => this.#input({ on: 'command', client: token, args }));
  }

  /** A command of the program around it, past `intercept`. */
  ask(args: readonly string[], answer: (reply: Reply) => void): void {
    const token = this.#nextToken++;
    this.#asked.set(token, { answer, args });
    this.#input({ on: 'command', client: token, args });
  }

  #serve(end: End, args: readonly string[]): void {
    if ((args[0] ?? '').toUpperCase() === 'PING') {
      end.send({ kind: 'reply', reply: 'PONG' });
      return;
    }
    if (this.agent?.intercept(args, (reply) => end.send({ kind: 'reply', reply })) === true) return;
    this.ask(args, (reply) => end.send({ kind: 'reply', reply }));
  }

  #localNow(): number {
    const { startedAt, offset, rate } = this.#clock;
    return offset + (this.context.loop.now - startedAt) * rate;
  }

  #input(input: Input): void {
    const { state } = this;
    if (state === null) return;
    const effects = step(state, this.#localNow(), input);
    this.#measure(state, effects);
    this.#watch.before(input, effects, state);
    this.#carryOut(effects, 0, state);
  }

  #measure(state: Sentinel, effects: readonly Effect[]): void {
    // Without an effect nothing has become more.
    if (effects.length === 0) return;
    const { peak } = this;
    peak.effects = Math.max(peak.effects, effects.length);
    if (state.conns.size - 2 * state.links.size >= peak.conns - 2 * peak.links) {
      peak.conns = state.conns.size;
      peak.links = state.links.size;
    }
    for (const link of state.links) peak.pending = Math.max(peak.pending, link.pending / Math.max(1, link.owners.size));
  }

  #carryOut(effects: readonly Effect[], from: number, state: Sentinel): void {
    const writes = this.#dieAfter !== null && effects.some(({ act }) => act === 'persist');
    for (let index = from; index < effects.length; index++) {
      const effect = effects[index];
      if (effect === undefined) break;
      if (writes && this.#dieAfter !== null && this.#dieAfter-- <= 0) {
        this.#onDeath();
        return;
      }
      if (effect.act === 'persist' && effect.soon) {
        this.#writeSoon(effect.snapshot);
        continue;
      }
      if (effect.act === 'persist' && this.manners.disk_ms > 0) {
        this.#writeSlowly(effect.snapshot, () => {
          this.#sendWaiting();
          this.#carryOut(effects, index + 1, state);
        });
        return;
      }
      this.#do(effect);
      if (!this.alive) return;
    }
    this.#schedule();
    this.agent?.settled();
  }

  /** The process waits for its disk; if it dies meanwhile, the write may have been done or not. */
  #writeSlowly(snapshot: SentinelState, then: () => void): void {
    const { loop, prng } = this.context;
    const life = this.#life;
    const length_ms = prng.below(this.manners.disk_ms);
    const doneAt_ms = prng.below(length_ms + 1);
    this.gate.close();
    loop.after(doneAt_ms, () => {
      if (life === this.#life) this.#written(snapshot);
    });
    loop.after(length_ms, () => {
      if (life !== this.#life) return;
      then();
      if (life === this.#life) this.gate.open();
    });
  }

  /** As `carry-out.ts` does it: what may tell of it waits. */
  #writeSoon(snapshot: SentinelState): void {
    const begun = this.#soon !== null;
    this.#soon = { snapshot, waiting: this.#soon?.waiting ?? [] };
    if (begun) return;
    const life = this.#life;
    this.context.loop.after(SOON_SAVE_MS, () => {
      if (life === this.#life) this.gate.pass(() => this.#flush(() => undefined));
    });
  }

  #flush(then: () => void): void {
    if (this.#soon === null) return then();
    const done = (): void => {
      this.#sendWaiting();
      then();
    };
    const { snapshot } = this.#soon;
    if (this.manners.disk_ms > 0) return this.#writeSlowly(snapshot, done);
    this.#written(snapshot);
    done();
  }

  #sendWaiting(): void {
    const waiting = this.#soon?.waiting ?? [];
    this.#soon = null;
    for (const effect of waiting) this.#send(effect);
  }

  #written(snapshot: SentinelState): void {
    this.#disk = snapshot;
    this.#watch.persisted(snapshot);
  }

  #do(effect: Effect): void {
    switch (effect.act) {
      case 'connect':
        return this.#connect(effect);
      case 'close':
        this.#conns.get(effect.conn)?.end.close();
        this.#conns.delete(effect.conn);
        return;
      case 'send':
        if (this.#soon !== null && requestRelies(effect.tag)) this.#soon.waiting.push(effect);
        else this.#send(effect);
        return;
      case 'persist':
        this.#written(effect.snapshot);
        return this.#sendWaiting();
      case 'event':
        return this.#watch.event(effect.event);
      case 'log':
        if (effect.level !== 'verbose') this.context.note(2, this.name, () => `"${effect.text}"`);
        return;
      case 'answer':
        return this.#answer(effect.client, effect.reply);
      case 'crash':
        this.context.note(1, this.name, () => effect.why);
        this.#onDeath();
        return;
      case 'resolve':
      case 'script':
        return;
    }
  }

  #send(effect: SendEffect): void {
    const conn = this.#conns.get(effect.conn);
    this.#watch.sends(effect, conn?.end.peer.host.ip ?? '');
    conn?.tags.push(effect.tag);
    conn?.end.send({ kind: 'request', args: effect.args });
  }

  /** What is done when the core itself asks for a crash. */
  onSimulatedFailure(onDeath: () => void): void {
    this.#onDeath = onDeath;
  }

  #answer(client: number, reply: Reply): void {
    const asked = this.#asked.get(client);
    this.#asked.delete(client);
    if (asked === undefined) {
      this.context.note(
        1,
        this.name,
        () => `answers ${reply instanceof SimpleString ? reply.text : JSON.stringify(reply)}`,
      );
      return;
    }
    const tell = (): void => {
      this.#watch.answers(asked.args, reply, this.#clock.rate);
      asked.answer(reply);
    };
    if (answerRelies(asked.args)) this.#flush(tell);
    else tell();
  }

  #connect(effect: Extract<Effect, { act: 'connect' }>): void {
    const life = this.#life;
    const { conn, to, purpose, timeout_ms } = effect;
    this.context.network.connect(this, to, timeout_ms, (result) => {
      if (life !== this.#life || this.state?.conns.has(conn) !== true) {
        if (result instanceof End) result.close();
        return;
      }
      if (result instanceof End && result.open) this.#connected(conn, result, purpose);
      else this.#closed(conn, result instanceof End ? 'reset' : result);
    });
  }

  #connected(conn: ConnId, end: End, purpose: 'command' | 'hello'): void {
    const open: OpenConn = { end, tags: [] };
    this.#conns.set(conn, open);
    end.onClose = (why) => this.#closed(conn, why);
    end.onMessage = (message) => {
      if (message.kind === 'push') this.#input({ on: 'hello', conn, message: message.text });
      if (message.kind !== 'reply') return;
      const tag = open.tags.shift();
      // The answer to our SUBSCRIBE is the runner's own.
      if (tag !== undefined) this.#input({ on: 'reply', conn, tag, reply: message.reply });
    };
    if (purpose === 'hello') end.send({ kind: 'request', args: ['SUBSCRIBE', HELLO_CHANNEL] });
    this.#input({ on: 'connected', conn, localIp: this.host.ip });
  }

  #closed(conn: ConnId, why: CloseReason): void {
    this.#conns.delete(conn);
    this.#input({ on: 'closed', conn, why, detail: '' });
  }

  /** Sets the timer to what the core asks for, if that is earlier than what it is set to. */
  #schedule(): void {
    const { state } = this;
    if (state === null) return;
    const { startedAt, offset, rate } = this.#clock;
    const due = startedAt + (nextDeadline(state) - offset) / rate;
    if (due >= this.#tickAt || due === Number.POSITIVE_INFINITY) return;
    this.#tickAt = due;
    const life = this.#life;
    // Timers are never early, and mostly a little late.
    this.context.loop.at(due + 0.05, () => {
      if (life !== this.#life || this.#tickAt !== due) return;
      this.gate.pass(() => this.#tick(due));
    });
  }

  #tick(due: number): void {
    if (this.state === null || this.#tickAt !== due) return;
    this.#tickAt = Number.POSITIVE_INFINITY;
    if (this.#localNow() < nextDeadline(this.state)) this.#schedule();
    else this.#input({ on: 'tick' });
  }
}
