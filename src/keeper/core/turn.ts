/** One step of the keeper: the moment, the state, the effects so far, and when the next step is due. */
import { assert } from '../../base/assert.js';
import type { Effect, KeeperState, Tag } from './io.js';
import { FOREVER, type Keeper } from './state.js';
import { WATCH_MAX_MS, WATCH_MIN_MS } from './timing.js';

export class Turn {
  readonly effects: Effect[] = [];
  #dueAt = FOREVER;
  /** A change of our Redis is waited for: INFO is asked for often. */
  watches = false;
  /** News of siblings is waited for. */
  wantsNews = false;

  constructor(
    readonly k: Keeper,
    readonly now: number,
  ) {}

  /** When the next step is due at the latest. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /** Something is due then. What was due by now has been done in this step. */
  at(when: number): void {
    assert(!Number.isNaN(when), 'a deadline is a number');
    this.#dueAt = Math.min(this.#dueAt, Math.max(when, this.now + 1));
  }

  /** Whether that moment has come; if not, the step after next is at that moment. */
  isDue(when: number): boolean {
    if (this.now >= when) return true;
    this.at(when);
    return false;
  }

  /** Sends to our Redis. @returns false when the link is down. */
  send(tag: Tag, ...args: readonly string[]): boolean {
    if (this.k.redis.link !== 'up') return false;
    this.effects.push({ do: 'send', tag, args });
    return true;
  }

  log(level: Extract<Effect, { do: 'log' }>['level'], text: string): void {
    this.effects.push({ do: 'log', level, text });
  }

  /** The one function that changes the state. The reason may change without it. */
  become(state: KeeperState, reason: string): void {
    const { k } = this;
    assert(k.state !== 'stopped', 'a keeper that has stopped stays so');
    k.reason = reason;
    if (k.state === state) return;
    const from = k.state;
    k.state = state;
    k.since = this.now;
    this.effects.push({ do: 'became', state, from, reason });
  }

  /** A wait with jitter: between half of it and the whole. */
  jitter(wait_ms: number): number {
    return wait_ms / 2 + this.k.prng.below(Math.ceil(wait_ms / 2) + 1);
  }

  /** How soon to ask again for a change that has been awaited for so long: often at first, then ever more seldom. */
  watchPeriod_ms(elapsed_ms: number, max_ms: number): number {
    const soon = this.k.prng.between(WATCH_MIN_MS, WATCH_MAX_MS);
    return Math.min(max_ms, Math.max(soon, elapsed_ms / 8));
  }
}
