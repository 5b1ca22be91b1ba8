import type { HostSight } from '../sight.js';
import { SightChecker } from './agent-checker.js';

/** VRRP's three missed adverts and a skew, and the way of an address. */
const ELECTED_MS = 2_500;
/** A new master waits for so long to see the old one gone (`PAIR_TAKEOVER_MS`), and is promoted then. */
const TAKEN_OVER_MS = 4_500;

/**
 * A pair, while its hosts hear each other: the VIP is on one host, and not for long where the Redis does not lead. While
 * they do not, both may lead: that is the risk of two hosts.
 */
export class PairVip extends SightChecker {
  readonly property = 'in a pair whose hosts hear each other the VIP is where the Redis leads';
  /** By group and host: since when it has a VIP and nothing to write to. */
  readonly #idle = new Map<string, number>();
  readonly #both = new Map<string, number>();

  /** @param quietSince since when network and processes have all been well */
  constructor(private readonly quietSince: (group: string) => number) {
    super();
  }

  look(group: string, hosts: readonly HostSight[], now: number): string | null {
    const quiet = this.quietSince(group);
    const holding = hosts.filter(({ vip }) => vip);
    if (holding.length < 2) this.#both.delete(group);
    else if (now - Math.max(quiet, since(this.#both, group, now)) > ELECTED_MS)
      return `two hosts have the VIP of ${group}`;
    for (const { name, vip, writable } of hosts) {
      const key = `${group} ${name}`;
      if (!vip || writable) this.#idle.delete(key);
      else if (now - Math.max(quiet, since(this.#idle, key, now)) > TAKEN_OVER_MS) {
        return `${name} has the VIP of ${group}, and takes no writes`;
      }
    }
    return null;
  }
}

function since(map: Map<string, number>, key: string, now: number): number {
  const at = map.get(key) ?? now;
  map.set(key, at);
  return at;
}
