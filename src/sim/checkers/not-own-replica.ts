import type { Fact } from '../fact.js';
import type { Checker } from './checker.js';

/** No Redis is ever told to follow itself. */
export class NotOwnReplica implements Checker {
  readonly kind = 'fault';
  readonly property = 'no Redis is made a replica of itself';

  take(fact: Fact): string | null {
    if (fact.kind !== 'ordered' || fact.follows !== fact.address) return null;
    return `${fact.by} told ${fact.redis} (${fact.address}) to follow itself`;
  }
}
