import type { Fact } from '../fact.js';
import type { Checker } from './checker.js';

/** Where a write is acknowledged only once a replica has it, the master that remains holds every one, whatever happened. */
export class NoLostDurableWrite implements Checker {
  readonly kind = 'fault';
  readonly property = 'with ack-replicas no acknowledged write is ever lost';
  readonly #acknowledged: { readonly group: string; readonly write: number; readonly by: string }[] = [];

  take(fact: Fact): string | null {
    if (fact.kind === 'acknowledged') this.#acknowledged.push(fact);
    if (fact.kind !== 'ended') return null;
    for (const { group, write, by } of this.#acknowledged) {
      const outcome = fact.groups.find((one) => one.group === group);
      if (outcome?.durable && !outcome.held.has(write))
        return `write ${write} of ${group}, acknowledged by ${by}, is lost`;
    }
    return null;
  }
}
