/** Requests that were not executed and wait to be sent, again or for the first time, to the next master. */

export interface HeldRequest {
  readonly who: number;
  readonly seq: number;
  readonly command: number;
  readonly bytes: Buffer;
  /** Replies to be passed over before the one that counts. */
  readonly unheard: number;
  /** Of the connection that it was for. */
  readonly lane: number;
  readonly since_ms: number;
}

/** What several shards keep together may have so many bytes. */
export interface HeldBudget {
  held_bytes: number;
  readonly config: { readonly hold_bytes: number };
}

/** Of one shard. */
export class HeldRequests {
  readonly #budget: HeldBudget;
  #held: HeldRequest[] = [];

  constructor(budget: HeldBudget) {
    this.#budget = budget;
  }

  get count(): number {
    return this.#held.length;
  }

  /** @returns false when there is no room. */
  add(request: HeldRequest): boolean {
    const { bytes } = request;
    if (this.#budget.held_bytes + bytes.length > this.#budget.config.hold_bytes) return false;
    this.#held.push(request);
    this.#budget.held_bytes += bytes.length;
    return true;
  }

  /** Takes all of them out, in order. */
  takeAll(): HeldRequest[] {
    const held = this.#held;
    this.#held = [];
    for (const { bytes } of held) this.#budget.held_bytes -= bytes.length;
    return held;
  }

  /** Takes out those that wait since then or longer. */
  takeOlder(since_ms: number): HeldRequest[] {
    if (!this.#held.some((each) => each.since_ms <= since_ms)) return [];
    const all = this.takeAll();
    for (const each of all) if (each.since_ms > since_ms) this.add(each);
    return all.filter((each) => each.since_ms <= since_ms);
  }
}
