import type { HostSight } from '../sight.js';
import { SightChecker } from './agent-checker.js';

/** At no moment do two hosts of a group hold the lease with a Redis that takes writes. */
export class OneWritable extends SightChecker {
  readonly property = 'at most one leased master takes writes';

  look(group: string, hosts: readonly HostSight[], now: number): string | null {
    const all = hosts.filter(({ writable, leasedUntil }) => writable && leasedUntil > now);
    return all.length > 1 ? `${names(all)} of ${group} take writes, both leased` : null;
  }
}

/**
 * At no moment do two hosts hold the VIP with a Redis that takes writes. Left out: a host on which the router and the agent
 * have failed together, so that nobody but the kernel ends the address.
 */
export class OneVip extends SightChecker {
  readonly property = 'at most one host has the VIP and a Redis that takes writes';

  look(group: string, hosts: readonly HostSight[]): string | null {
    const all = hosts.filter(({ vip, writable }) => vip && writable);
    if (all.length < 2) return null;
    if (all.some(({ routerSteady, agentSteady }) => !routerSteady && !agentSteady)) return null;
    return `${names(all)} have the VIP of ${group}, and take writes`;
  }
}

function names(hosts: readonly HostSight[]): string {
  return hosts.map(({ name }) => name).join(' and ');
}
