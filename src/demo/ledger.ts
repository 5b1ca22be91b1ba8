/** The writer's books: which writes were acknowledged, where the pauses were. Pure. */

/** What happened since a mark was set. */
export interface Account {
  readonly acknowledged: number;
  readonly errors: number;
  /** The longest time between two acknowledged writes, in ms; a pause under way counts. */
  readonly longestPause_ms: number;
}

/** Writes are numbered from 0; number n is the key `demo:n` with the value n. */
export class Ledger {
  #next = 0;
  #errors = 0;
  #lastAckAt: number;
  #longest_ms = 0;
  #overall_ms = 0;
  #markAcknowledged = 0;
  #markErrors = 0;
  #acknowledged = 0;
  /** Sent and never acknowledged: these may be there or not. */
  readonly #uncertain = new Set<number>();
  readonly #lost = new Set<number>();

  constructor(now: number) {
    this.#lastAckAt = now;
  }

  /** The number of the next write. */
  begin(): number {
    const number = this.#next++;
    this.#uncertain.add(number);
    return number;
  }

  acknowledge(number: number, now: number): void {
    this.#uncertain.delete(number);
    this.#acknowledged += 1;
    this.#longest_ms = Math.max(this.#longest_ms, now - this.#lastAckAt);
    this.#overall_ms = Math.max(this.#overall_ms, this.#longest_ms);
    this.#lastAckAt = now;
  }

  fail(): void {
    this.#errors += 1;
  }

  /** Sets a mark: pauses and counts are taken from here on. */
  mark(): void {
    this.#longest_ms = 0;
    this.#markAcknowledged = this.#acknowledged;
    this.#markErrors = this.#errors;
  }

  sinceMark(now: number): Account {
    return {
      acknowledged: this.#acknowledged - this.#markAcknowledged,
      errors: this.#errors - this.#markErrors,
      longestPause_ms: Math.max(this.#longest_ms, now - this.#lastAckAt),
    };
  }

  get total(): Account & { readonly lost: number } {
    return {
      acknowledged: this.#acknowledged,
      errors: this.#errors,
      longestPause_ms: this.#overall_ms,
      lost: this.#lost.size,
    };
  }

  pauseNow_ms(now: number): number {
    return now - this.#lastAckAt;
  }

  /** Acknowledged writes in [from, to) that are not known to be lost. */
  acknowledgedIn(from: number, to: number): number[] {
    const numbers: number[] = [];
    for (let number = from; number < Math.min(to, this.#next); number++) {
      if (!this.#uncertain.has(number) && !this.#lost.has(number)) numbers.push(number);
    }
    return numbers;
  }

  get end(): number {
    return this.#next;
  }

  lose(number: number): void {
    this.#lost.add(number);
  }
}
