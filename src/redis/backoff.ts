/** How long to wait before each attempt. */
export interface BackoffOptions {
  /** The first wait, before jitter. */
  readonly base_ms: number;
  /** No wait is longer. */
  readonly max_ms: number;
  /** Attempts in a row that may fail; Infinity for a link that must outlive every outage. */
  readonly attempts_max: number;
}

/** Waits that double from `base_ms` to `max_ms`, each drawn from the upper half of its range. Pure. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #failures = 0;

  /** @param random draws from [0, 1). */
  constructor(options: BackoffOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  get max_ms(): number {
    return this.#options.max_ms;
  }

  /** The wait after one more failure, in ms; null when there have been enough. */
  next(): number | null {
    const { base_ms, max_ms, attempts_max } = this.#options;
    this.#failures += 1;
    if (this.#failures >= attempts_max) return null;
    const range_ms = Math.min(max_ms, base_ms * 2 ** Math.min(30, this.#failures - 1));
    return range_ms * (0.5 + this.#random() / 2);
  }

  /** Begin again: an attempt has borne fruit. */
  reset(): void {
    this.#failures = 0;
  }
}
