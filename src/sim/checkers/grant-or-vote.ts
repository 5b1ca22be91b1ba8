import type { Fact } from '../fact.js';
import type { Checker } from './checker.js';

/** As LEASE_PROMISE_MS, by the clock of the fastest sentinel. */
const PROMISE_MS = 2_900;
/** Times are carried over between clocks of several speeds: what is less apart than this is the same moment. */
const ROUNDING_MS = 1e-6;

interface Grant {
  readonly holder: string;
  readonly handOver: boolean;
  readonly until: number;
}

/**
 * A sentinel's grant and its vote for a successor never live at once, nor two of its grants to different places: also
 * across its restarts, for whoever was granted something counts on it. After a vote the old master gets no grant for a while.
 */
export class GrantOrVote implements Checker {
  readonly kind = 'fault';
  readonly property = 'a live grant excludes votes and other grants';
  /** By sentinel and group. */
  readonly #grants = new Map<string, Grant>();
  readonly #votes = new Map<string, { readonly epoch: number; readonly at: number }>();

  take(fact: Fact): string | null {
    switch (fact.kind) {
      case 'granted':
        return this.#onGrant(fact);
      case 'voted': {
        const key = `${fact.sentinel} ${fact.group}`;
        const grant = this.#grants.get(key);
        this.#votes.set(key, fact);
        if (grant === undefined || grant.handOver || grant.until <= fact.at + ROUNDING_MS) return null;
        return `${fact.sentinel} votes in epoch ${fact.epoch} of ${fact.group} while its grant to ${grant.holder} lives`;
      }
      default:
        return null;
    }
  }

  #onGrant(fact: Extract<Fact, { kind: 'granted' }>): string | null {
    const { sentinel, group, holder, at, until, epoch } = fact;
    const key = `${sentinel} ${group}`;
    const before = this.#grants.get(key);
    if (until <= at) {
      if (before?.holder === holder) this.#grants.delete(key);
      return null;
    }
    const vote = this.#votes.get(key);
    this.#grants.set(key, fact);
    if (before !== undefined && before.holder !== holder && before.until > at + ROUNDING_MS) {
      return `${sentinel} grants ${group} to ${holder} while its grant to ${before.holder} lives`;
    }
    if (vote !== undefined && vote.epoch > epoch && at < vote.at + PROMISE_MS) {
      return `${sentinel} grants ${group} to ${holder} in epoch ${epoch} right after its vote in epoch ${vote.epoch}`;
    }
    return null;
  }
}
