/** A Debian tree with systemd, Node.js and Redis as Debian packages them, made by Debian's own mmdebstrap. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fetchPackages } from '../../../scripts/debian.mjs';
import { cache } from '../../../scripts/peers.mjs';
import { run } from '../netns.js';

/** The Debian of the README's tutorial. */
const RELEASE = 'trixie';
const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'dbus', 'procps', 'util-linux', 'iproute2', 'iputils-ping', 'ca-certificates'],
  ...['nodejs', 'redis-server', 'redis-tools'],
];

/**
 * Makes the tree, unless it is there: some 80 MB to be downloaded.
 * @throws {Error} when it cannot be made; then nothing of it is left
 */
export function makeTree(path: string): void {
  if (existsSync(join(path, 'usr/bin/redis-server'))) return;
  rmSync(path, { recursive: true, force: true });
  fetchPackages(['mmdebstrap']);
  const tools = join(cache.packages, 'mmdebstrap', 'usr/bin');
  mkdirSync(path, { recursive: true });
  const aptSettings = ['APT::Install-Recommends "false"', 'Acquire::Languages "none"', 'Acquire::Retries "1"'];
  const unread = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*'];
  try {
    run('env', [
      `PATH=${tools}:${process.env['PATH'] ?? ''}`,
      ...['mmdebstrap', '--mode=root', '--variant=minbase', '--quiet'],
      ...aptSettings.map((setting) => `--aptopt=${setting}`),
      ...unread.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
      `--include=${PACKAGES.join(',')}`,
      ...[RELEASE, path],
    ]);
  } catch (error) {
    rmSync(path, { recursive: true, force: true });
    throw error;
  }
}
