/** What a checker is: it sees every fact of a run in order, and says when its property no longer holds. */
import type { Fact } from '../fact.js';

export interface Checker {
  /** The property, in a few words; printed with a failing seed. */
  readonly property: string;
  /**
   * A `fault` ends the run and fails the seed. A `limit` is what the protocol cannot rule out, being without a lease: it
   * is counted, so that a change for the worse is seen.
   */
  readonly kind: 'fault' | 'limit';
  /** @returns what is wrong, or null. */
  take(fact: Fact): string | null;
}

/**
 * Whether a majority of all sentinels has to be behind an election: not when the elected one has not heard of enough of
 * them yet, and by what it knows needed fewer votes. So it is with redis-sentinel until all have found each other.
 */
export function isOfTrueMajority(elected: Extract<Fact, { kind: 'elected' }>): boolean {
  return votesNeeded(elected) > elected.sentinels / 2;
}

/** The votes that a sentinel needs by what it knows. */
export function votesNeeded({ voters, quorum }: Extract<Fact, { kind: 'elected' }>): number {
  return Math.max(Math.floor(voters / 2) + 1, quorum);
}

/** A map of maps by group and epoch. */
export class ByEpoch<T> {
  readonly #values = new Map<string, T>();

  get(group: string, epoch: number, ...more: string[]): T | undefined {
    return this.#values.get([group, epoch, ...more].join(' '));
  }

  set(value: T, group: string, epoch: number, ...more: string[]): void {
    this.#values.set([group, epoch, ...more].join(' '), value);
  }
}
