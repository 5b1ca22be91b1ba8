import type { HostSight } from '../sight.js';
import { SightChecker } from './agent-checker.js';

/** What was wrong and has been well for so long, voters that have just started included, delays nobody any more. */
const WELL_MS = 4_000;
/** Some round trips. The lease of the host before is given back, and not waited for. */
const BOUND_MS = 100;
interface HandOver {
  /** The host that led until then. */
  readonly from: string;
  readonly at: number;
  /** With durability a write is confirmed by a replica, which may have to take over all data first. */
  readonly durable: boolean;
}

/**
 * A planned change has come about: soon another has the lease and takes writes, although the agent that handed over may be
 * about to end. Where something is amiss besides, nothing is promised.
 */
export class HandedOver extends SightChecker {
  readonly property = 'after a planned change the new master soon takes writes';
  readonly #owed = new Map<string, HandOver>();

  /** @param wellSince since when all has been well, but for the agent of the host that handed over */
  constructor(private readonly wellSince: (from: string) => number) {
    super();
  }

  /** Somebody wants another master: of the change before nothing is expected any more. */
  begins(group: string): void {
    this.#owed.delete(group);
  }

  cameAbout(group: string, handOver: HandOver): void {
    this.#owed.set(group, handOver);
  }

  look(group: string, hosts: readonly HostSight[], now: number): string | null {
    const owed = this.#owed.get(group);
    if (owed === undefined) return null;
    const { from, at, durable } = owed;
    const leads = hosts.some((host) => host.name !== from && host.leasedUntil > now && (host.writable || durable));
    if (leads || this.wellSince(from) > at - WELL_MS) {
      this.#owed.delete(group);
      return null;
    }
    if (now - at <= BOUND_MS) return null;
    return `nobody takes writes of ${group} ${Math.round(now - at)} ms after ${from} has handed it over`;
  }
}
