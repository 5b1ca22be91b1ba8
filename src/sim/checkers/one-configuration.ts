import type { Fact } from '../fact.js';
import { ByEpoch, type Checker, isOfTrueMajority } from './checker.js';

/**
 * One config epoch of a group means one master address, whoever tells it. An epoch in which an operator's failover went
 * on without a majority of all sentinels is left out: redis-sentinel's protocol allows it two meanings.
 */
export class OneConfiguration implements Checker {
  readonly kind = 'fault';
  readonly property = 'one configuration per epoch and group';
  readonly #addresses = new ByEpoch<{ readonly address: string; readonly by: string }>();
  readonly #elected = new ByEpoch<true>();
  readonly #forced = new ByEpoch<true>();

  take(fact: Fact): string | null {
    switch (fact.kind) {
      case 'elected':
        if (!isOfTrueMajority(fact)) return null;
        this.#elected.set(true, fact.group, fact.epoch, fact.sentinel);
        return null;
      case 'selecting':
        if (this.#elected.get(fact.group, fact.epoch, fact.sentinel)) return null;
        this.#forced.set(true, fact.group, fact.epoch);
        return null;
      case 'configuration':
        return this.#compare(fact.group, fact.configEpoch, fact.address, fact.sentinel);
      case 'persisted':
        for (const { name, configEpoch, host, port } of fact.snapshot.masters) {
          const wrong = this.#compare(name, configEpoch, `${host}:${port}`, fact.sentinel);
          if (wrong !== null) return wrong;
        }
        return null;
      default:
        return null;
    }
  }

  #compare(group: string, epoch: number, address: string, by: string): string | null {
    const before = this.#addresses.get(group, epoch);
    if (before === undefined) this.#addresses.set({ address, by }, group, epoch);
    if (before === undefined || before.address === address || this.#forced.get(group, epoch)) return null;
    return `config epoch ${epoch} of ${group} is ${before.address} for ${before.by} and ${address} for ${by}`;
  }
}
