/**
 * When the preferred host is given the master's place back: once it has been a good candidate without a break for as long
 * as the policy says. Pure.
 */
import type { Failback } from '../config/tanist/model.js';

export interface FailbackView {
  /** This host keeps the master and holds its lease. */
  readonly leads: boolean;
  /** This host is the preferred one itself. */
  readonly preferred: boolean;
  /** Why the preferred host could not take over now; null when it could. */
  readonly obstacle: string | null;
  readonly paused: boolean;
}

export type FailbackAdvice =
  | { readonly do: 'nothing' }
  | { readonly do: 'tell'; readonly text: string }
  | { readonly do: 'switch-over' };

/** After a switchover that did not come about, the wait begins anew. */
export class FailbackWatch {
  readonly #policy: Failback;
  readonly #host: string;
  #wellSince: number | null = null;

  /** @param host the preferred host's name */
  constructor(policy: Failback, host: string) {
    this.#policy = policy;
    this.#host = host;
  }

  /** @param now monotonic milliseconds */
  look(now: number, view: FailbackView): FailbackAdvice {
    if (this.#policy.when === 'never' || !view.leads || view.preferred) return this.#reset();
    if (view.obstacle !== null || view.paused) return this.#reset();
    this.#wellSince ??= now;
    if (this.#policy.when === 'manual') {
      return {
        do: 'tell',
        text: `${this.#host} is well again: \`tanist switchover --to ${this.#host}\` gives it back`,
      };
    }
    const left_ms = this.#wellSince + this.#policy.wait_ms - now;
    if (left_ms > 0) return { do: 'tell', text: `failback to ${this.#host} in ${Math.ceil(left_ms / 1_000)} s` };
    this.#wellSince = now;
    return { do: 'switch-over' };
  }

  #reset(): FailbackAdvice {
    this.#wellSince = null;
    return { do: 'nothing' };
  }
}
