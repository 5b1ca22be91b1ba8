/** The processes of a lab host, found by its network namespace: also those that another program has started there. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Host } from '../host.js';

export interface RunningProcess {
  readonly pid: number;
  /** With its arguments, or what it calls itself. */
  readonly command: string;
}

export function processesOn(host: Host): RunningProcess[] {
  const { stdout } = spawnSync('ip', ['netns', 'pids', host.namespace], { encoding: 'utf8' });
  return (stdout ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => describe(Number(line)));
}

/** The pids of those whose command matches. */
export function pidsOn(host: Host, pattern: RegExp): number[] {
  return processesOn(host)
    .filter(({ command }) => pattern.test(command))
    .map(({ pid }) => pid);
}

export function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended by itself meanwhile.
    }
  }
}

/** A zombie has ended, whatever its parent does about it. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function describe(pid: number): RunningProcess[] {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return command === '' ? [] : [{ pid, command }];
  } catch {
    return [];
  }
}
