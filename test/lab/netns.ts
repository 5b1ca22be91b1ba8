/** Network namespaces by `ip netns`, with names that no other run uses. All calls are synchronous and short. */
import { spawnSync } from 'node:child_process';

let counter = 0;

/** What the names of this process's namespaces begin with, so that parallel runs do not meet. */
export const namespacePrefix = `tl${process.pid.toString(36)}x`;

/** A name for this process's next namespace. */
export function uniqueName(): string {
  counter++;
  return `${namespacePrefix}${counter.toString(36)}`;
}

/** @throws {Error} with what the command said, when it fails. */
export function run(command: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(command, [...args], { encoding: 'utf8', input });
  if (status === 0) return stdout;
  throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

export function addNamespace(name: string): void {
  run('ip', ['netns', 'add', name]);
}

/** Ends every process in the namespace, then removes it. Never throws: it is the last thing that happens. */
export function removeNamespace(name: string): void {
  killAllIn(name);
  spawnSync('ip', ['netns', 'del', name]);
}

/**
 * kill -9 for everything that runs in the namespace. All of it is frozen first, so that no process sees another one die
 * and still does something about it.
 */
export function killAllIn(name: string): void {
  for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
    const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
    for (const pid of (stdout ?? '').split('\n').filter((line) => line !== '')) {
      try {
        process.kill(Number(pid), signal);
      } catch {
        // It has ended by itself meanwhile.
      }
    }
  }
}

/** Runs a list of `ip` commands inside a namespace, or across namespaces when none is named. */
export function ipBatch(namespace: string | null, commands: readonly string[]): void {
  run('ip', [...(namespace === null ? [] : ['-n', namespace]), '-batch', '-'], `${commands.join('\n')}\n`);
}
