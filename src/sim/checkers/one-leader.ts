import type { Fact } from '../fact.js';
import { ByEpoch, type Checker, isOfTrueMajority } from './checker.js';

/**
 * In one epoch at most one sentinel takes itself for the elected leader of a group, once they know each other so far
 * that majorities overlap.
 */
export class OneLeader implements Checker {
  readonly kind = 'fault';
  readonly property = 'one leader per epoch and group';
  readonly #leaders = new ByEpoch<string>();

  take(fact: Fact): string | null {
    if (fact.kind !== 'elected' || !isOfTrueMajority(fact)) return null;
    const before = this.#leaders.get(fact.group, fact.epoch);
    this.#leaders.set(fact.sentinel, fact.group, fact.epoch);
    if (before === undefined || before === fact.sentinel) return null;
    return `${before} and ${fact.sentinel} both lead ${fact.group} in epoch ${fact.epoch}`;
  }
}
