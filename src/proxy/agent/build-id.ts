/** Which program this is: what it was built from, rather than a version's name, since a checkout is upgraded as well. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** All that the proxy can load of ours. */
const ROOMS = ['base', 'config', 'net', 'observe', 'proxy', 'redis'];

/**
 * A digest of the program's files below this folder, and of the Node that runs them. In small steps, since whoever asks has
 * leases to renew.
 * @throws {Error} (rejects) when they cannot be read
 */
export async function buildId(root: string): Promise<string> {
  const hash = createHash('sha256').update(process.version);
  for (const room of ROOMS) {
    const names = await readdir(join(root, room), { recursive: true });
    const programs = names.filter((name) => /(?<!\.test)\.[jt]s$/.test(name) && !name.endsWith('.d.ts'));
    for (const name of programs.sort()) {
      hash.update(`\0${room}/${name}\0`).update(await readFile(join(root, room, name)));
    }
  }
  return hash.digest('hex');
}
