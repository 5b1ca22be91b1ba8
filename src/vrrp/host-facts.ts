/** What this host can do for VIPs: its interfaces, and whether this process may use them. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { canonicalIp } from '../base/ip-bytes.js';
import type { HostFacts } from './from-tanist.js';

/** Bits of the capability sets in /proc/self/status (capabilities(7)). */
const CAPABILITIES = [
  { name: 'CAP_NET_ADMIN', bit: 12n },
  { name: 'CAP_NET_RAW', bit: 13n },
] as const;

/** The interfaces of this process's network namespace that are up. */
export const thisHost: HostFacts = {
  interfaceOf(address) {
    const wanted = canonicalIp(address);
    for (const [name, addresses] of Object.entries(networkInterfaces())) {
      if (addresses?.some((a) => canonicalIp(a.address) === wanted)) return name;
    }
    return null;
  },
};

/** Why this process may not keep a VIP, with the fix; null when it may. @param status for tests: /proc/self/status */
export function vipRightsFault(status: string = readFileSync('/proc/self/status', 'utf8')): string | null {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const missing = CAPABILITIES.filter(({ bit }) => ((effective >> bit) & 1n) === 0n).map(({ name }) => name);
  if (missing.length === 0) return null;
  return (
    `keeping a VIP needs ${missing.join(' and ')}, which this process does not have\n` +
    '  fix: run it by deploy/tanist.service (AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN), or as root; in a container,\n' +
    '  add both (cap_add: [NET_RAW, NET_ADMIN]); or leave `vip` out of tanist.yml and use the proxy'
  );
}
