/**
 * Ends every process of a demo, whoever has started it and whoever is still there to be asked. Agents and proxies are
 * known by a variable of their environment, which holds the demo's own folder. Redis gets no such variable and outlives its
 * agent: it works below that folder and has been given its configuration by an agent, in memory, as its standard input.
 */
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Its value is the demo's folder. */
export const MARK = 'TANIST_DEMO_DIRECTORY';

const LOOK_MS = 20;
const DEADLINE_MS = 10_000;

/** Kills them and removes the folder. @returns whether nothing is left */
export async function sweep(directory: string): Promise<boolean> {
  const end = performance.now() + DEADLINE_MS;
  let left = killAll(directory);
  while (left > 0 && performance.now() < end) {
    await delay(LOOK_MS);
    left = killAll(directory);
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  return left === 0;
}

function killAll(directory: string): number {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => isMarked(pid, directory) || isKeptRedis(pid, directory));
  for (const pid of pids) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
  return pids.length;
}

function isMarked(pid: string, directory: string): boolean {
  return read(() => readFileSync(`/proc/${pid}/environ`, 'latin1'))
    .split('\0')
    .includes(`${MARK}=${directory}`);
}

function isKeptRedis(pid: string, directory: string): boolean {
  return (
    read(() => readlinkSync(`/proc/${pid}/cwd`)).startsWith(`${directory}/`) &&
    read(() => readlinkSync(`/proc/${pid}/fd/0`)).startsWith('/memfd:tanist-')
  );
}

/** Empty for a process that has ended, or is another user's. */
function read(look: () => string): string {
  try {
    return look();
  } catch {
    return '';
  }
}
