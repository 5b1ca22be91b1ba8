import type { Fact, GroupOutcome } from '../fact.js';
import type { Checker } from './checker.js';

/** Once all faults are healed, all agree on one master that is one, and all others follow it. */
export class Convergence implements Checker {
  readonly kind = 'fault';
  readonly property = 'convergence after healing';

  take(fact: Fact): string | null {
    if (fact.kind !== 'ended') return null;
    for (const group of fact.groups) {
      const wrong = disagreement(group);
      if (wrong !== null) return `${group.group}: ${wrong}`;
    }
    return fact.converged ? null : 'it did not stay converged';
  }
}

/** Why a group has not converged, or null. */
export function disagreement({ beliefs, redises, leased }: GroupOutcome): string | null {
  const [first] = beliefs;
  if (first === undefined) return 'no sentinel is alive';
  for (const belief of beliefs) {
    if (belief.failingOver) return `${belief.sentinel} is failing over`;
    if (belief.peers !== beliefs.length - 1) return `${belief.sentinel} knows ${belief.peers} other sentinels`;
    if (belief.address !== first.address) {
      return `${first.sentinel} names ${first.address}, ${belief.sentinel} names ${belief.address}`;
    }
    if (belief.configEpoch !== first.configEpoch) {
      return `${first.sentinel} is in config epoch ${first.configEpoch}, ${belief.sentinel} in ${belief.configEpoch}`;
    }
  }
  if (leased !== null && (leased.length !== 1 || leased[0] !== first.address)) {
    return `the lease is held by ${leased.join(' and ') || 'nobody'}, all name ${first.address}`;
  }
  for (const redis of redises) {
    const isChosen = redis.address === first.address;
    if (redis.known && isChosen !== (redis.role === 'master'))
      return `${redis.name} is a ${redis.role}, all name ${first.address}`;
    if (isChosen || !redis.known) continue;
    if (redis.follows !== first.address) return `${redis.name} follows ${redis.follows}, not ${first.address}`;
    if (!redis.linkUp) return `${redis.name} has no link with its master`;
  }
  return null;
}
