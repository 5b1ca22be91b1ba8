import type { SentinelState } from '../../config/sentinel-types.js';
import type { Fact } from '../fact.js';
import type { Checker } from './checker.js';

/** What others rely on (a vote, a candidacy, an epoch, a configuration) is on disk before they are told. */
export class PersistedFirst implements Checker {
  readonly kind = 'fault';
  readonly property = 'what is promised has been persisted before';
  readonly #disks = new Map<string, SentinelState>();

  take(fact: Fact): string | null {
    switch (fact.kind) {
      case 'started':
      case 'persisted':
        this.#disks.set(fact.sentinel, fact.snapshot);
        return null;
      case 'vote-told':
      case 'stood':
        return (this.#group(fact)?.leaderEpoch ?? -1) < fact.epoch ? this.#wrong(fact, 'vote', fact.epoch) : null;
      case 'configuration':
        if ((this.#group(fact)?.configEpoch ?? -1) < fact.configEpoch) {
          return this.#wrong(fact, 'config epoch', fact.configEpoch);
        }
        if ((this.#disks.get(fact.sentinel)?.currentEpoch ?? -1) < fact.currentEpoch) {
          return this.#wrong(fact, 'epoch', fact.currentEpoch);
        }
        return null;
      default:
        return null;
    }
  }

  #group(fact: { readonly sentinel: string; readonly group: string }): SentinelState['masters'][number] | undefined {
    return this.#disks.get(fact.sentinel)?.masters.find(({ name }) => name === fact.group);
  }

  #wrong(fact: { readonly sentinel: string; readonly group: string }, what: string, epoch: number): string {
    return `${fact.sentinel} told its ${what} ${epoch} of ${fact.group}, which its disk does not hold`;
  }
}
