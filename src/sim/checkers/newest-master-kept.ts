import type { Fact } from '../fact.js';
import { type Checker, isOfTrueMajority } from './checker.js';

/**
 * The master of the newest configuration is never told to follow another Redis by a sentinel that has not heard of it.
 * A group is left out once an operator's failover went on in it without a majority.
 */
export class NewestMasterKept implements Checker {
  readonly kind = 'limit';
  readonly property = 'a stale sentinel does not demote the newest master';
  readonly #newest = new Map<string, { readonly epoch: number; readonly address: string }>();
  readonly #elected = new Set<string>();
  readonly #forced = new Set<string>();

  take(fact: Fact): string | null {
    switch (fact.kind) {
      case 'elected':
        if (!isOfTrueMajority(fact)) return null;
        this.#elected.add(`${fact.group} ${fact.epoch} ${fact.sentinel}`);
        return null;
      case 'selecting':
        if (!this.#elected.has(`${fact.group} ${fact.epoch} ${fact.sentinel}`)) this.#forced.add(fact.group);
        return null;
      case 'configuration':
        this.#learn(fact.group, fact.configEpoch, fact.address);
        return null;
      case 'persisted':
        for (const { name, configEpoch, host, port } of fact.snapshot.masters) {
          this.#learn(name, configEpoch, `${host}:${port}`);
        }
        return null;
      case 'ordered':
        for (const [group, { epoch, address }] of this.#newest) {
          if (epoch === 0 || address !== fact.address || fact.follows === '' || this.#forced.has(group)) continue;
          return `${fact.redis} is ${group}'s master in epoch ${epoch}, but ${fact.by} told it to follow ${fact.follows}`;
        }
        return null;
      default:
        return null;
    }
  }

  #learn(group: string, epoch: number, address: string): void {
    if (epoch > (this.#newest.get(group)?.epoch ?? 0)) this.#newest.set(group, { epoch, address });
  }
}
