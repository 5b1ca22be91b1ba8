import type { Fact } from '../fact.js';
import { ByEpoch, type Checker } from './checker.js';

/** A sentinel's vote for a group and an epoch goes to one candidate, also across a crash. */
export class OneVote implements Checker {
  readonly kind = 'fault';
  readonly property = 'a vote is never given twice in an epoch';
  readonly #given = new ByEpoch<string>();

  take(fact: Fact): string | null {
    if (fact.kind !== 'voted' && fact.kind !== 'vote-told') return null;
    const before = this.#given.get(fact.group, fact.epoch, fact.sentinel);
    this.#given.set(fact.leader, fact.group, fact.epoch, fact.sentinel);
    if (before === undefined || before === fact.leader) return null;
    return `${fact.sentinel} voted for ${before} and for ${fact.leader} in epoch ${fact.epoch} of ${fact.group}`;
  }
}
