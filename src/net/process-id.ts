/** A process for good: its pid alone is given to another one day, after the next boot at the latest. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootId, isGone, readStat } from './proc.js';

const LOOK_MS = 5;
/** The kernel takes this long to end what was killed, at the very most. */
export const KILLED_MS = 5_000;

export interface ProcessId {
  readonly pid: number;
  /** When it was started, in clock ticks since boot. */
  readonly startTicks: number;
  /** Of which boot. */
  readonly bootId: string;
}

/** Null when there is no such process. */
export function processId(pid: number): ProcessId | null {
  const stat = readStat(pid);
  return stat === null || isGone(stat) ? null : { pid, startTicks: stat.startTicks, bootId: bootId() };
}

/** Whether this very process lives, and not merely one that was given its pid. */
export function isAlive(id: ProcessId): boolean {
  const now = processId(id.pid);
  return now !== null && now.startTicks === id.startTicks && now.bootId === id.bootId;
}

/**
 * Waits until it is no more and, of a child of ours, until how it ended has been told.
 * @returns false when that has not come within the deadline
 */
export async function untilGone(
  id: ProcessId,
  deadline_ms: number,
  child: ChildProcess | null = null,
): Promise<boolean> {
  const until_ms = performance.now() + deadline_ms;
  const isUntold = (): boolean => child?.exitCode === null && child.signalCode === null;
  while (isAlive(id) || isUntold()) {
    if (performance.now() > until_ms) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

/** Ends it for good, wherever it hangs. It may still be there for a moment. */
export function killProcess(id: ProcessId): void {
  try {
    if (isAlive(id)) process.kill(id.pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
