/** Which host of a tanist.yml a command is run on, and the file as that host uses it. */
import { findOwnHost } from '../agent/identity.js';
import { configForHost } from '../config/tanist/for-host.js';
import type { HostConfig, TanistConfig } from '../config/tanist/model.js';

/**
 * @param flag `--host`; without it TANIST_HOST counts, and then the addresses of this machine
 * @throws {HostUnknownError}
 */
export function ownHost(whole: TanistConfig, flag: string | undefined): { self: HostConfig; config: TanistConfig } {
  const self = findOwnHost(whole, flag ?? process.env['TANIST_HOST'] ?? null);
  return { self, config: configForHost(whole, self.name) };
}
