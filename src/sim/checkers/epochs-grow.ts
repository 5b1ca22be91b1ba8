import type { SentinelState } from '../../config/sentinel-types.js';
import type { Fact } from '../fact.js';
import type { Checker } from './checker.js';

/**
 * The current epoch, and every group's config and vote epoch, never go back on a sentinel, nor across its restarts:
 * neither on its disk nor in what it tells. (Between the two they may: one write serves a whole step, and a hello of
 * the step may have been worded before its last change.)
 */
export class EpochsGrow implements Checker {
  readonly kind = 'fault';
  readonly property = 'epochs never go back';
  readonly #highest = new Map<string, number>();

  take(fact: Fact): string | null {
    switch (fact.kind) {
      case 'started':
      case 'persisted':
        return this.#ofDisk(fact.sentinel, fact.snapshot);
      case 'configuration':
        return (
          this.#grows(fact.sentinel, 'told epoch', fact.currentEpoch) ??
          this.#grows(fact.sentinel, `told config epoch of ${fact.group}`, fact.configEpoch)
        );
      default:
        return null;
    }
  }

  #ofDisk(sentinel: string, snapshot: SentinelState): string | null {
    let wrong = this.#grows(sentinel, 'current epoch', snapshot.currentEpoch);
    for (const { name, configEpoch, leaderEpoch } of snapshot.masters) {
      wrong ??= this.#grows(sentinel, `config epoch of ${name}`, configEpoch);
      wrong ??= this.#grows(sentinel, `vote epoch of ${name}`, leaderEpoch);
    }
    return wrong;
  }

  #grows(sentinel: string, what: string, epoch: number): string | null {
    const key = `${sentinel} ${what}`;
    const before = this.#highest.get(key) ?? 0;
    if (epoch > before) this.#highest.set(key, epoch);
    return epoch < before ? `the ${what} of ${sentinel} went back from ${before} to ${epoch}` : null;
  }
}
