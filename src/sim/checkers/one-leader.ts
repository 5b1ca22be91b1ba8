import type { Fact } from '../fact.js';
import { ByEpoch, type Checker } from './checker.js';

/** In one epoch at most one sentinel takes itself for the elected leader of a group. */
export class OneLeader implements Checker {
  readonly kind = 'fault';
  readonly property = 'one leader per epoch and group';
  readonly #leaders = new ByEpoch<string>();

  take(fact: Fact): string | null {
    if (fact.kind !== 'elected') return null;
    const before = this.#leaders.get(fact.group, fact.epoch);
    this.#leaders.set(fact.sentinel, fact.group, fact.epoch);
    if (before === undefined || before === fact.sentinel) return null;
    return `${before} and ${fact.sentinel} both lead ${fact.group} in epoch ${fact.epoch}`;
  }
}
