import type { Fact } from '../fact.js';
import type { Checker } from './checker.js';

/** Where nothing but planned failovers happened, the master that remains holds every write that was acknowledged. */
export class NoLostWrite implements Checker {
  readonly kind = 'fault';
  readonly property = 'a planned failover loses no acknowledged write';
  readonly #acknowledged: { readonly group: string; readonly write: number; readonly by: string }[] = [];

  take(fact: Fact): string | null {
    if (fact.kind === 'acknowledged') this.#acknowledged.push(fact);
    if (fact.kind !== 'ended' || fact.lossAllowed) return null;
    for (const { group, write, by } of this.#acknowledged) {
      const outcome = fact.groups.find((one) => one.group === group);
      if (outcome?.held.has(write) === false) return `write ${write} of ${group}, acknowledged by ${by}, is lost`;
    }
    return null;
  }
}
