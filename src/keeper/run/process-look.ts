/** Tells a process that is busy from one that is stopped, waits for a disk, or does nothing at all. */
import { setTimeout as pause } from 'node:timers/promises';
import { isGone, readCpu_ns, readStat } from '../../net/proc.js';
import type { ProcessLook } from '../core/io.js';

/** An older look is no measure of what the process does now. */
const LOOK_AGE_MAX_ms = 2_000;
/** Two readings of the CPU time lie at least this far apart. */
const LOOK_GAP_ms = 40;
/** Less CPU than this is housekeeping: a busy process uses all it can get. */
const MOVED_ns = 2_000_000;
/** Linux counts 100 clock ticks a second in /proc, whatever its own rate is. */
const TICK_ns = 10_000_000;

interface Reading {
  readonly pid: number;
  readonly at_ms: number;
  readonly cpu_ns: number;
}

export class ProcessWatch {
  #last: Reading | null = null;

  /**
   * Looks at the process. The first look takes two readings, 40 ms apart; later ones compare with the look before.
   * @param isSame whether the pid is still that process's
   */
  async look(pid: number, isSame: () => boolean): Promise<ProcessLook> {
    const last = this.#last;
    const isFresh = last !== null && last.pid === pid && performance.now() - last.at_ms <= LOOK_AGE_MAX_ms;
    const before = isFresh ? last : reading(pid);
    const since_ms = before === null ? LOOK_GAP_ms : performance.now() - before.at_ms;
    if (since_ms < LOOK_GAP_ms) await pause(LOOK_GAP_ms - since_ms);
    const stat = readStat(pid);
    const after = reading(pid);
    this.#last = after;
    if (stat === null || isGone(stat) || !isSame() || before === null || after === null) return { state: 'gone' };
    switch (stat.state) {
      case 'T':
      case 't':
        return { state: 'stopped' };
      case 'D':
        return { state: 'disk' };
      default:
        return { state: 'running', cpuMoved: after.cpu_ns - before.cpu_ns >= MOVED_ns };
    }
  }
}

function reading(pid: number): Reading | null {
  const stat = readStat(pid);
  if (stat === null) return null;
  return { pid, at_ms: performance.now(), cpu_ns: readCpu_ns(pid) ?? stat.cpuTicks * TICK_ns };
}
