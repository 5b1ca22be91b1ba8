/** Which program this is: what it was built from, rather than a version's name, since a checkout is upgraded as well. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** All that the proxy can load of ours. */
const ROOMS = ['base', 'config', 'net', 'observe', 'proxy', 'redis'];

/** A digest of the files of the program below this folder, and of the Node that runs it. */
export function buildId(root: string = ROOT): string {
  const hash = createHash('sha256').update(process.version);
  for (const room of ROOMS) {
    const names = readdirSync(join(root, room), { recursive: true, encoding: 'utf8' });
    const programs = names.filter((name) => /(?<!\.test)\.[jt]s$/.test(name) && !name.endsWith('.d.ts'));
    for (const name of programs.sort()) hash.update(`\0${room}/${name}\0`).update(readFileSync(join(root, room, name)));
  }
  return hash.digest('hex');
}
