/**
 * When one hook runs next, and for what. One run at a time; a level that changes while another runs, or waits, replaces
 * what waited for the same key; a run that failed is repeated with growing pauses, up to a limit. Pure.
 */
import { assert } from '../../base/assert.js';
import type { Prng } from '../../base/prng.js';

export interface RetryRules {
  /** Runs for one level, the first included. */
  readonly attemptsMax: number;
  /** The pause after the first failure; it doubles from there, and half of it is chance. */
  readonly pause_ms: number;
  readonly pauseMax_ms: number;
}

interface Slot<T> {
  readonly key: string;
  value: T;
  fingerprint: string;
  /** Nothing is to be done until the level changes. */
  settled: boolean;
  /** Failed runs for this level. */
  failures: number;
  /** Not before. */
  due: number;
  /** What the last run was for, and whether it succeeded. */
  last: { readonly fingerprint: string; readonly ok: boolean } | null;
}

export interface Run<T> {
  readonly key: string;
  readonly value: T;
  readonly fingerprint: string;
  /** 1 for the first. */
  readonly attempt: number;
}

export type After = 'done' | 'again' | 'gave-up' | 'superseded';

/** @typeParam T what a run gets; keys are bounded by the caller */
export class HookSchedule<T> {
  readonly #rules: RetryRules;
  readonly #prng: Prng;
  readonly #slots = new Map<string, Slot<T>>();
  #running: Run<T> | null = null;
  #coalesced = 0;
  #closed = false;

  constructor(rules: RetryRules, prng: Prng) {
    this.#rules = rules;
    this.#prng = prng;
  }

  /** How many levels were never run since a newer one came before their turn. */
  get coalesced(): number {
    return this.#coalesced;
  }

  /** How many keys have something to be run or repeated. */
  get waiting(): number {
    return [...this.#slots.values()].filter((slot) => !slot.settled).length;
  }

  /** The level of a key, as often as one likes: only a change counts. */
  want(key: string, fingerprint: string, value: T, now: number): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) {
      const fresh: Slot<T> = { key, value, fingerprint, settled: false, failures: 0, due: now, last: null };
      this.#slots.set(key, fresh);
      return;
    }
    slot.value = value;
    if (slot.fingerprint === fingerprint) return;
    const isRunning = this.#running?.key === key && this.#running.fingerprint === slot.fingerprint;
    const hasRun = slot.last?.fingerprint === slot.fingerprint;
    if (!slot.settled && !isRunning && !hasRun) this.#coalesced += 1;
    slot.fingerprint = fingerprint;
    slot.failures = 0;
    slot.due = now;
    // Back where the last run left it, and nothing between has run: there is nothing to tell.
    slot.settled = this.#running?.key !== key && slot.last?.ok === true && slot.last.fingerprint === fingerprint;
  }

  /** What to run now; null when nothing is due or something runs. */
  next(now: number): Run<T> | null {
    if (this.#running !== null) return null;
    let first: Slot<T> | null = null;
    for (const slot of this.#slots.values()) {
      if (!slot.settled && slot.due <= now && (first === null || slot.due < first.due)) first = slot;
    }
    if (first === null) return null;
    const { key, value, fingerprint, failures } = first;
    this.#running = { key, value, fingerprint, attempt: failures + 1 };
    return this.#running;
  }

  /** When `next` has something again by itself; null when only a change or the end of a run can bring it. */
  nextDue(): number | null {
    if (this.#running !== null) return null;
    const dues = [...this.#slots.values()].filter((slot) => !slot.settled).map((slot) => slot.due);
    return dues.length === 0 ? null : Math.min(...dues);
  }

  /** The run that `next` gave has ended. */
  finished(ok: boolean, now: number): After {
    const run = this.#running;
    assert(run !== null, 'a hook has ended that was not started');
    this.#running = null;
    const slot = this.#slots.get(run.key);
    assert(slot !== undefined, 'a hook has ended whose level is gone');
    slot.last = { fingerprint: run.fingerprint, ok };
    if (slot.fingerprint !== run.fingerprint) return 'superseded';
    if (ok) {
      slot.settled = true;
      slot.failures = 0;
      return 'done';
    }
    slot.failures += 1;
    if (this.#closed || slot.failures >= this.#rules.attemptsMax) {
      slot.settled = true;
      return 'gave-up';
    }
    slot.due = now + this.#pause(slot.failures);
    return 'again';
  }

  /** From now on nothing is repeated; what has not run yet still may. */
  close(): void {
    this.#closed = true;
    for (const slot of this.#slots.values()) if (slot.failures > 0) slot.settled = true;
  }

  #pause(failures: number): number {
    const whole = Math.min(this.#rules.pauseMax_ms, this.#rules.pause_ms * 2 ** (failures - 1));
    return Math.ceil(whole / 2) + this.#prng.below(Math.ceil(whole / 2) + 1);
  }
}
