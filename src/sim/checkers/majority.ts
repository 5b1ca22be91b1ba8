import type { Fact } from '../fact.js';
import { ByEpoch, type Checker, votesNeeded } from './checker.js';

/**
 * Nobody is elected without the votes of a majority of the sentinels that it knows, and of no fewer than the quorum;
 * nobody chooses a replica without having been elected, unless an operator asked for the failover.
 */
export class Majority implements Checker {
  readonly kind = 'fault';
  readonly property = 'no failover without a majority';
  readonly #votes = new ByEpoch<Set<string>>();
  readonly #elected = new ByEpoch<true>();

  take(fact: Fact): string | null {
    switch (fact.kind) {
      case 'voted':
      case 'vote-told': {
        const votes = this.#votes.get(fact.group, fact.epoch, fact.leader) ?? new Set();
        this.#votes.set(votes.add(fact.sentinel), fact.group, fact.epoch, fact.leader);
        return null;
      }
      case 'elected':
        return this.#onElected(fact);
      case 'selecting':
        if (fact.manual !== 'no' || this.#elected.get(fact.group, fact.epoch, fact.sentinel)) return null;
        return `${fact.sentinel} fails ${fact.group} over in epoch ${fact.epoch} without having been elected`;
      default:
        return null;
    }
  }

  #onElected(fact: Extract<Fact, { kind: 'elected' }>): string | null {
    this.#elected.set(true, fact.group, fact.epoch, fact.sentinel);
    // Votes are told with the voter's id: the run calls sentinels by their ids here.
    const votes = this.#votes.get(fact.group, fact.epoch, fact.sentinel)?.size ?? 0;
    const needed = votesNeeded(fact);
    if (votes >= needed) return null;
    return `${fact.sentinel} leads ${fact.group} in epoch ${fact.epoch} with ${votes} votes; of ${fact.voters} it needs ${needed}`;
  }
}
