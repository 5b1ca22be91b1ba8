/**
 * Where the proxies of an agent are found: each listens on a socket of its own in one directory, and the socket's name is
 * the record of its process. So nothing that is written down can differ from what runs: `<pid>-<start>-<boot>.sock`, where
 * the start, in clock ticks since boot, and the boot tell the process from a later one of the same number.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bootId } from '../../net/proc.js';
import { isAlive, type ProcessId } from '../../net/process-id.js';

/** What unix(7) allows for the path of a socket, without its last zero. */
const PATH_MAX_BYTES = 107;
/** The longest name of a socket here, and the slash before it. */
const NAME_MAX_BYTES = 34;
/** So much of a boot's id tells it from others: the path of a socket is short. */
const BOOT_CHARS = 8;

/**
 * Makes the directory, for its owner alone.
 * @throws {Error} when its path is too long for sockets, or it cannot be made
 */
export function preparePlaces(directory: string): void {
  const bytes = Buffer.byteLength(directory);
  if (bytes + NAME_MAX_BYTES > PATH_MAX_BYTES) {
    const most = PATH_MAX_BYTES - NAME_MAX_BYTES - '/proxy'.length;
    throw new Error(
      `${directory} is too long a path for the proxy's control socket: choose a state_directory of at most ${most} bytes`,
    );
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
}

export function socketPath(directory: string, id: ProcessId): string {
  return join(directory, `${id.pid}-${id.startTicks}-${id.bootId.slice(0, BOOT_CHARS)}.sock`);
}

/** The proxies that live, the newest first; what dead ones have left is removed. */
export function livingProxies(directory: string): ProcessId[] {
  const living: ProcessId[] = [];
  const thisBoot = bootId();
  for (const name of namesIn(directory)) {
    const [, pid, startTicks, boot] = /^(\d+)-(\d+)-([0-9a-f]*)\.sock$/.exec(name) ?? [];
    if (pid === undefined || startTicks === undefined || boot === undefined) continue;
    const isOfThisBoot = boot === thisBoot.slice(0, BOOT_CHARS);
    const id = { pid: Number(pid), startTicks: Number(startTicks), bootId: isOfThisBoot ? thisBoot : boot };
    if (isAlive(id)) living.push(id);
    else rmSync(join(directory, name), { force: true });
  }
  return living.sort((a, b) => b.startTicks - a.startTicks || b.pid - a.pid);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
