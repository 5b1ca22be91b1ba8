import type { Fact } from '../fact.js';
import type { Checker } from './checker.js';

/** At any moment at most one keeper of a group counts on its lease. */
export class OneLease implements Checker {
  readonly kind = 'fault';
  readonly property = 'at most one keeper of a group holds the lease';
  /** By group and keeper: until when it counts on it. */
  readonly #until = new Map<string, Map<string, number>>();

  take(fact: Fact): string | null {
    if (fact.kind !== 'leased') return null;
    const { group, keeper, at, until } = fact;
    const holders = this.#until.get(group) ?? new Map<string, number>();
    this.#until.set(group, holders.set(keeper, until));
    if (until <= at) return null;
    for (const [other, end] of holders) {
      if (other !== keeper && end > at)
        return `${other} counts on it for another ${(end - at).toFixed(1)} ms, and ${keeper} too`;
    }
    return null;
  }
}
