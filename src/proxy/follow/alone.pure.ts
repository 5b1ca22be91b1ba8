/**
 * What a proxy without its agent may go by: the records of the other hosts' Sentinels.
 *
 * With the agent, the keeper of this host is gone: nobody fences the Redis here when its lease ends (docs/lease.md). So the
 * proxy does what the keeper would have done, as far as requests through it go:
 * - A master beside it is not asked any more when its lease must be over, where others can elect another: they will, in a
 *   moment, with the old master's help, and nothing is under way then. If they do not, it is asked again after a while.
 * - Any master is only asked while so many other voters are heard that nobody can be elected without one of them, and none
 *   of these knows of a newer record. What was not heard for the length of a lease does not count.
 */
import type { TlsSettings } from '../../redis/endpoint.js';
import type { Hold, Route } from './routes.js';

/** What an agent leaves to its proxy, for when it is away. */
export interface AloneSettings {
  /** The address of this host. */
  readonly self: string;
  /** Of all other hosts. */
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  readonly login: { readonly user: string; readonly password: string } | null;
  /** Texts, since it travels. */
  readonly tls: TlsSettings | null;
  /** Null: masters are not leased, and only the newest record counts. Of a pair, too, where VRRP decides. */
  readonly leaseTtl_ms: number | null;
  readonly groups: readonly string[];
}

/** Keepers renew when a quarter of the lease is over, so of one just lost this much is left, and a little more. */
const LEASE_LEFT = 0.65;
/** In this time after the end of a lease, others elect a master if they can. */
const ELECTION_MS = 2_000;
/** What was to be held, and is not said to be any more, is asked again after so long. */
const HOLD_MS = 450;

/** How many other voters must be heard, so that no majority of them has elected anybody: this host's own vote is gone. */
export function othersNeeded(others: number): number {
  const voters = others + 1;
  const majority = Math.floor(voters / 2) + 1;
  return voters - majority;
}

/** Whether the other voters are a majority without this host's. */
function canElect(others: number): boolean {
  return others > (others + 1) / 2;
}

export class Alone {
  readonly #settings: AloneSettings;
  readonly #since_ms: number;
  /** When what was answered had been asked, by Sentinel and group. */
  readonly #heardAt_ms = new Map<string, number>();

  /** @param since_ms when the agent was last heard */
  constructor(settings: AloneSettings, since_ms: number) {
    this.#settings = settings;
    this.#since_ms = since_ms;
  }

  /**
   * A Sentinel has answered.
   * @param known the route in use
   * @returns the route to be used from now on; null for no other
   */
  heard(sentinel: number, told: Route, known: Route | null, askedAt_ms: number): Route | null {
    // One that lags behind has not voted for what it will hear of: its word is no proof that nothing is newer.
    if (known !== null && told.epoch < known.epoch) return null;
    this.#heardAt_ms.set(`${sentinel} ${told.group}`, askedAt_ms);
    if (known === null) return told;
    // In the moments of a promotion a Sentinel may tell the new epoch with the old master. That is no news, nor is its epoch:
    // the new master comes with the same one.
    const isElsewhere = told.host !== known.host || told.port !== known.port;
    return isElsewhere && told.epoch > known.epoch ? told : null;
  }

  /** Why requests for a group must wait now; null when they need not. */
  objection(group: string, route: Route | null, now: number): string | null {
    const { leaseTtl_ms: ttl_ms, self, sentinels } = this.#settings;
    if (ttl_ms === null) return null;
    const away_ms = now - this.#since_ms;
    const isBeside = route?.host === self && canElect(sentinels.length);
    if (isBeside && away_ms > ttl_ms * LEASE_LEFT && away_ms <= ttl_ms + ELECTION_MS) {
      return 'the agent of its host is away, and with it the lease of the master';
    }
    if (away_ms <= ttl_ms) return null;
    const heard = sentinels.filter((_, i) => now - (this.#heardAt_ms.get(`${i} ${group}`) ?? -Infinity) <= ttl_ms);
    const needed = othersNeeded(sentinels.length);
    if (heard.length >= needed) return null;
    return `the agent is away, and ${heard.length} of ${needed} other Sentinels needed say who leads`;
  }

  /** When the lease of a master beside the proxy must be taken for lost; null for never. */
  get leaseEnd_ms(): number | null {
    const { leaseTtl_ms: ttl_ms } = this.#settings;
    return ttl_ms === null ? null : this.#since_ms + ttl_ms * LEASE_LEFT;
  }

  /** The same as an order to wait. */
  hold(group: string, route: Route | null, now: number): Hold | null {
    const reason = this.objection(group, route, now);
    return reason === null ? null : { group, for_ms: HOLD_MS, reason };
  }
}
