/**
 * Carries out the core's effects, in order. A `persist` is done before what follows it, with two exceptions. Changes that
 * are only discoveries (`discovery.ts`) are written together, a moment later. And what is to be persisted `soon` (another
 * Sentinel has elected a master) is written a moment later, too, since the disk would keep this process from acting on
 * it; requests that may tell of it wait for the write.
 *
 * While the state cannot be written, nothing leaves that depends on it: a vote told and then forgotten in a crash could
 * be given twice. So from a failed write on, until one succeeds, only PING and INFO are still sent (without them this
 * Sentinel would find everybody down), every other request is answered towards the core with an error in place of the
 * peer, and clients that ask for a vote or for a change get an error. The write is tried again at the next change and
 * once a second.
 */
import { unreachable } from '../../base/assert.js';
import { errorText } from '../../base/error-text.js';
import type { SentinelState } from '../../config/sentinel-types.js';
import { ErrorReply, type Reply } from '../../redis/reply.js';
import type { ClientToken, Effect, Input, LogLevel, SentinelEvent, Verbosity } from '../core/io.js';
import type { Connections } from './connections.js';
import { differOnlyInDiscovery } from './discovery.js';
import { resolveName } from './names.js';
import { requestRelies } from './reliance.js';

/** How the runner reaches what is not its own. */
export interface Hands {
  /** Makes the state durable. @throws when it could not. */
  readonly save: (snapshot: SentinelState) => void;
  readonly log: (level: LogLevel, text: string) => void;
  /** Tells subscribers of an event. */
  readonly publish: (channel: string, message: string) => void;
  /** What the log takes from now on, also after a restart. */
  readonly setVerbosity: (verbosity: Verbosity) => void;
  readonly runScript: (path: string, args: readonly string[]) => void;
  /** Ends the process as a crash would. */
  readonly crash: (why: string) => void;
}

export const SAVE_RETRY_MS = 1_000;
/** How long what was discovered may wait to be written together. */
export const DISCOVERY_SAVE_MS = 200;
/** What is to be written soon: when whoever waits for the new master has been served. */
export const SOON_SAVE_MS = 50;

/** Requests that may wait for such a write; one more, and it is made at once. */
export const WAITING_MAX = 1_000;

type Act<A extends Effect['act']> = Extract<Effect, { act: A }>;

export class CarryOut {
  readonly #hands: Hands;
  readonly #connections: Pick<Connections, 'connect' | 'close' | 'send'>;
  readonly #deliver: (input: Input) => void;
  readonly #answer: (client: ClientToken, reply: Reply) => void;
  /** The state that could not be written; null when the file is right. */
  #unsaved: SentinelState | null = null;
  #retry: NodeJS.Timeout | null = null;
  /** What is on disk; null before the first write and after a failed one. */
  #saved: SentinelState | null = null;
  /** Newer by what may wait for a moment; written when `#later` rings, or before. */
  #pending: SentinelState | null = null;
  #later: NodeJS.Timeout | null = null;
  #laterAt = Number.POSITIVE_INFINITY;
  /** Requests that wait until `#pending` is written; null when none need to. */
  #waiting: Act<'send'>[] | null = null;

  constructor(
    hands: Hands,
    connections: Pick<Connections, 'connect' | 'close' | 'send'>,
    deliver: (input: Input) => void,
    answer: (client: ClientToken, reply: Reply) => void,
  ) {
    this.#hands = hands;
    this.#connections = connections;
    this.#deliver = deliver;
    this.#answer = answer;
  }

  /** Whether the file lacks something that has happened. */
  get unsaved(): boolean {
    return this.#unsaved !== null;
  }

  all(effects: readonly Effect[]): void {
    for (const effect of effects) this.#one(effect);
  }

  #one(effect: Effect): void {
    switch (effect.act) {
      case 'connect':
        return this.#connections.connect(effect);
      case 'close':
        return this.#connections.close(effect.conn);
      case 'send':
        return this.#send(effect);
      case 'resolve':
        return this.#resolve(effect.host);
      case 'persist':
        return this.#persist(effect);
      case 'event':
        return this.event(effect.event);
      case 'log':
        return this.#hands.log(effect.level, effect.text);
      case 'script':
        return this.#hands.runScript(effect.path, effect.args);
      case 'set-verbosity':
        return this.#hands.setVerbosity(effect.verbosity);
      case 'answer':
        return this.#answer(effect.client, effect.reply);
      case 'crash':
        return this.#hands.crash(effect.why);
      default:
        unreachable(effect, 'effect');
    }
  }

  /** To the log, and, unless it is only of interest when looking for faults, to subscribers. */
  event(event: Pick<SentinelEvent, 'level' | 'type' | 'text'>): void {
    this.#hands.log(event.level, `${event.type} ${event.text}`);
    if (event.level !== 'debug') this.#hands.publish(event.type, event.text);
  }

  #send(effect: Act<'send'>): void {
    const { conn, tag, args } = effect;
    const relies = requestRelies(tag);
    if (relies && this.#waiting !== null) {
      this.#waiting.push(effect);
      if (this.#waiting.length >= WAITING_MAX) this.flush();
      return;
    }
    const held = relies && this.#unsaved !== null;
    if (!held && this.#connections.send(conn, tag, args)) return;
    const why = held ? 'the state could not be written' : 'too much is unanswered';
    this.#deliver({ on: 'reply', conn, tag, reply: new ErrorReply(`ERR not sent: ${why}`) });
  }

  #resolve(host: string): void {
    void resolveName(host).then((ip) => this.#deliver({ on: 'resolved', host, ip }));
  }

  #persist({ snapshot, soon }: Act<'persist'>): void {
    const newest = this.#pending ?? this.#saved;
    if (newest !== null && differOnlyInDiscovery(newest, snapshot))
      return this.#saveWithin(DISCOVERY_SAVE_MS, snapshot);
    if (!soon || this.#unsaved !== null) return this.save(snapshot);
    this.#waiting ??= [];
    this.#saveWithin(SOON_SAVE_MS, snapshot);
  }

  #saveWithin(wait_ms: number, snapshot: SentinelState): void {
    this.#pending = snapshot;
    const at = performance.now() + wait_ms;
    if (at >= this.#laterAt) return;
    if (this.#later !== null) clearTimeout(this.#later);
    this.#laterAt = at;
    this.#later = setTimeout(() => this.flush(), wait_ms);
  }

  /** Writes what was to be written later. */
  flush(): void {
    if (this.#pending !== null) this.save(this.#pending);
  }

  /** Makes a state durable, or holds back what depends on it until one is. */
  save(snapshot: SentinelState): void {
    this.#pending = null;
    if (this.#later !== null) clearTimeout(this.#later);
    this.#later = null;
    this.#laterAt = Number.POSITIVE_INFINITY;
    this.#write(snapshot);
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const effect of waiting) this.#send(effect);
  }

  #write(snapshot: SentinelState): void {
    this.#saved = null;
    try {
      this.#hands.save(snapshot);
      this.#saved = snapshot;
    } catch (error) {
      const reason = errorText(error);
      this.#hands.log(
        'warning',
        `The state is not on disk: ${reason}. Votes, orders and announcements are held back until it is`,
      );
      this.#unsaved = snapshot;
      this.#retry ??= setTimeout(() => this.#saveAgain(), SAVE_RETRY_MS).unref();
      return;
    }
    if (this.#unsaved !== null) this.#hands.log('warning', 'The state is on disk again: nothing is held back any more');
    this.#unsaved = null;
  }

  #saveAgain(): void {
    this.#retry = null;
    if (this.#unsaved !== null) this.save(this.#unsaved);
  }
}
