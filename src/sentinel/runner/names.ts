/** Host names to addresses, with a deadline. */
import { lookup } from 'node:dns';

/** A resolver that does not answer is given up after this. */
export const LOOKUP_TIMEOUT_MS = 5_000;

/** The first address of a name, or null when it has none or no answer came in time. */
export function resolveName(host: string, timeout_ms = LOOKUP_TIMEOUT_MS): Promise<string | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), timeout_ms);
    lookup(host, (error, address) => {
      clearTimeout(timer);
      resolve(error === null ? address : null);
    });
  });
}

/** The addresses of several names; those without one are left out. */
export async function resolveNames(hosts: Iterable<string>): Promise<Map<string, string>> {
  const found = await Promise.all([...new Set(hosts)].map(async (host) => [host, await resolveName(host)] as const));
  return new Map(found.filter((each): each is [string, string] => each[1] !== null));
}
