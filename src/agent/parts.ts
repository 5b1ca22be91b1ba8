/** How long each part of something took, for the log. */
export class Parts {
  readonly #took: string[] = [];
  readonly #began: number;
  readonly #now: () => number;

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#began = now();
  }

  /** Waits for one part. It is told also when it fails. @throws {Error} (rejects) what the part does */
  async take(name: string, part: Promise<unknown> | undefined): Promise<void> {
    const began = this.#now();
    try {
      await part;
    } finally {
      this.#took.push(`${name} ${Math.round(this.#now() - began)}`);
    }
  }

  /** e.g. `12 ms (hooks 0, keepers 12)`. */
  toString(): string {
    return `${Math.round(this.#now() - this.#began)} ms (${this.#took.join(', ')})`;
  }
}
