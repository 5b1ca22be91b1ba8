/**
 * Where the proxies of an agent are found: each listens on a socket of its own in one directory, and the socket's name is
 * the record of its process. So nothing that is written down can differ from what runs: `<pid>-<start>.sock`, where the
 * start, in clock ticks since boot, tells the process from a later one of the same number.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isGone, readStat } from '../../net/proc.js';

/** A process, and no later one that was given its number. */
export interface ProxyPlace {
  readonly pid: number;
  readonly startTicks: number;
}

/** What unix(7) allows for the path of a socket, without its last zero. */
const PATH_MAX_BYTES = 107;
/** The longest name of a socket here. */
const NAME_MAX_BYTES = 32;

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

/** The process of a pid; null when there is none. */
export function placeOf(pid: number): ProxyPlace | null {
  const stat = readStat(pid);
  return stat === null || isGone(stat) ? null : { pid, startTicks: stat.startTicks };
}

export function isAlive({ pid, startTicks }: ProxyPlace): boolean {
  return placeOf(pid)?.startTicks === startTicks;
}

export function socketPath(directory: string, { pid, startTicks }: ProxyPlace): string {
  return join(directory, `${pid}-${startTicks}.sock`);
}

/** The proxies that live, the newest first; what dead ones have left is removed. */
export function livingProxies(directory: string): ProxyPlace[] {
  const living: ProxyPlace[] = [];
  for (const name of namesIn(directory)) {
    const [, pid, startTicks] = /^(\d+)-(\d+)\.sock$/.exec(name) ?? [];
    if (pid === undefined || startTicks === undefined) continue;
    const place = { pid: Number(pid), startTicks: Number(startTicks) };
    if (isAlive(place)) living.push(place);
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

/** Ends it for good, wherever it hangs. */
export function killProxy(place: ProxyPlace): void {
  try {
    if (isAlive(place)) process.kill(place.pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
