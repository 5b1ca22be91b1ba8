/** What a Redis process is given besides its configuration: addresses, environment, TLS files. */
import { join } from 'node:path';
import { writeFileAtomic } from '../../config/atomic-file.js';
import type { RedisSettings } from '../../config/tanist/model.js';

export interface Surroundings {
  readonly settings: RedisSettings;
  /** The host's address, which the leader record names this Redis by. */
  readonly address: string;
  /** The group has a VIP: without a `bind` Redis then listens on all addresses. */
  readonly hasVip: boolean;
}

/**
 * Where it listens. By default on the host's address and on loopback; with a VIP on all addresses, since that one comes
 * and goes. A host whose own address is a loopback one shares the machine with others of its cluster, on the same port:
 * there it listens on that address only.
 */
export function bindAddresses({ settings, address, hasVip }: Surroundings): readonly string[] {
  if (settings.bind.length > 0) return settings.bind;
  if (address.startsWith('127.') || address === '::1') return [address];
  return hasVip ? ['*', '-::*'] : [address, '127.0.0.1'];
}

/** The agent's environment may hold passwords and systemd's own words to it: only what a server needs goes on. */
const WANTED =
  /^(PATH|HOME|USER|LANG|LC_[A-Z]+|TZ|TZDIR|TMPDIR|LD_[A-Z_]+|MALLOC_[A-Z_]+|SSL_CERT_[A-Z]+|OPENSSL_CONF)$/;

export function redisEnvironment(all: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(all).filter(([name]) => WANTED.test(name)));
}

/**
 * Redis reads certificates from files only: `redis.tls` as files in the state directory, for the owner alone.
 * @returns null without a certificate and key in tanist.yml; redis.conf then has to name its own
 * @throws {ConfigFileError} when they cannot be written
 */
export function writeTlsFiles(
  group: string,
  settings: RedisSettings,
  stateDirectory: string,
): { readonly cert: string; readonly key: string; readonly ca: string | null } | null {
  const { tls } = settings;
  if (tls === null || tls.cert === null || tls.key === null) return null;
  const write = (what: string, text: string): string => {
    const path = join(stateDirectory, `${group}.redis-${what}.pem`);
    writeFileAtomic(path, Buffer.from(text));
    return path;
  };
  return {
    cert: write('cert', tls.cert),
    key: write('key', tls.key),
    ca: tls.ca === null ? null : write('ca', tls.ca),
  };
}
