/** When a master announces its addresses: sets of announcements, repeated as configured. */
import type { AnnouncePlan } from './config.js';

/** A set still to be sent: `left` announcements, the next one at `at`. */
interface PendingSet {
  at: number;
  left: number;
}

/** A burst of triggers must not pile up announcements: beyond this many sets the latest ones are dropped. */
const MAX_SETS = 4;

export class Announcer {
  readonly #plan: AnnouncePlan;
  #sets: PendingSet[] = [];
  #refreshAt: number | null = null;

  constructor(plan: AnnouncePlan) {
    this.#plan = plan;
  }

  /** The sets of a new master: one now, one later, then at every refresh. */
  becameMaster(now: number): void {
    this.#sets = [];
    this.#add(now, this.#plan.repeat);
    if (this.#plan.delay_ms > 0) this.#add(now + this.#plan.delay_ms, this.#plan.repeat);
    this.#refreshAt = this.#plan.refresh_ms > 0 ? now + this.#plan.refresh_ms : null;
  }

  /** Others may have been told otherwise: a lower priority was heard, a link came back. */
  again(now: number): void {
    this.#add(now, this.#plan.lowerRepeat);
    if (this.#plan.lowerDelay_ms > 0) this.#add(now + this.#plan.lowerDelay_ms, this.#plan.lowerRepeat);
  }

  /** Somebody else uses an address: one set at `at`. */
  defend(at: number): void {
    this.#add(at, Math.max(1, this.#plan.lowerRepeat));
  }

  stop(): void {
    this.#sets = [];
    this.#refreshAt = null;
  }

  nextDeadline(): number {
    return Math.min(this.#refreshAt ?? Number.POSITIVE_INFINITY, ...this.#sets.map((s) => s.at));
  }

  /** How many announcements are due now. */
  due(now: number): number {
    if (this.#refreshAt !== null && now >= this.#refreshAt) {
      this.#add(now, this.#plan.refreshRepeat);
      this.#refreshAt = now + this.#plan.refresh_ms;
    }
    let count = 0;
    for (const set of this.#sets) {
      while (set.left > 0 && now >= set.at) {
        count++;
        set.left--;
        set.at += this.#plan.gap_ms;
      }
    }
    this.#sets = this.#sets.filter((s) => s.left > 0);
    return count;
  }

  #add(at: number, left: number): void {
    if (left === 0) return;
    this.#sets.push({ at, left });
    this.#sets.sort((a, b) => a.at - b.at);
    this.#sets.length = Math.min(this.#sets.length, MAX_SETS);
  }
}
