/** Who is who: names that every host derives from the same tanist.yml, so that nobody has to be introduced. */
import { createHash } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { canonicalIp } from '../base/ip-bytes.js';
import type { HostConfig, TanistConfig } from '../config/tanist/model.js';

/** The run id of a host's Sentinel: 40 hexadecimal characters, the same on every host that computes it. */
export function sentinelId(cluster: string, host: string): string {
  return createHash('sha1').update(`tanist:${cluster}:${host}`).digest('hex');
}

/** Raised when it cannot be told which host of the file this is. */
export class HostUnknownError extends Error {
  override readonly name = 'HostUnknownError';
  readonly code = 'ERR_HOST_UNKNOWN';
}

/**
 * Which host of the file this one is.
 * @param named by `--host` or TANIST_HOST; null to look for the one whose address this machine has
 * @throws {HostUnknownError}
 */
export function findOwnHost(config: TanistConfig, named: string | null, local = localAddresses()): HostConfig {
  const names = config.hosts.map(({ name }) => name).join(', ');
  if (named !== null) {
    const host = config.hosts.find(({ name }) => name === named);
    if (host !== undefined) return host;
    throw new HostUnknownError(`${config.file} names no host '${named}'\n  fix: one of ${names}`);
  }
  const mine = config.hosts.filter(({ address }) => local.has(address));
  const [only] = mine;
  if (only !== undefined && mine.length === 1) return only;
  const why =
    mine.length === 0
      ? 'none of its hosts has an address of this machine'
      : `this machine has the addresses of ${mine.map(({ name }) => name).join(' and ')}`;
  throw new HostUnknownError(`${config.file}: ${why}\n  fix: say which host this is: --host NAME (${names})`);
}

function localAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return new Set(all.map(({ address }) => canonicalIp(address)));
}
