/** Lets one thing through a period: for complaints that would otherwise fill a log. */
export class RateLimit {
  readonly #period_ms: number;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(period_ms: number) {
    this.#period_ms = period_ms;
  }

  /** @param now monotonic milliseconds */
  passes(now: number): boolean {
    if (now < this.#nextAt) return false;
    this.#nextAt = now + this.#period_ms;
    return true;
  }
}
