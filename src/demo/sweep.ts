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
  const killed = new Set<string>();
  const isOver = (): boolean => {
    const found = findAll(directory);
    for (const pid of found) kill(pid, killed);
    // Who has been killed has its ports until it has ended, and can be known no more some time before.
    return found.length === 0 && ![...killed].some(runs);
  };
  let over = isOver();
  while (!over && performance.now() < end) {
    await delay(LOOK_MS);
    over = isOver();
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  return over;
}

function findAll(directory: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => isMarked(pid, directory) || isKeptRedis(pid, directory));
}

function kill(pid: string, killed: Set<string>): void {
  try {
    process.kill(Number(pid), 'SIGKILL');
    killed.add(pid);
  } catch {
    // It has ended meanwhile.
  }
}

/** A zombie has ended, though its parent has not asked how yet: proc_pid_stat(5). */
function runs(pid: string): boolean {
  const stat = read(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return stat !== '' && !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
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
