/** What Linux tells of a process, in /proc. Synchronous: these files are made up by the kernel and never wait for a disk. */
import { readFileSync, readlinkSync } from 'node:fs';

export interface ProcessStat {
  /** The kernel's letter: R running, S asleep, D waiting for a disk, T and t stopped, Z and X gone. */
  readonly state: string;
  /** The program's name, cut to 15 bytes by the kernel. */
  readonly name: string;
  /** It is ending: its sockets close while it still has a pid. */
  readonly isEnding: boolean;
  /** When it was started, in clock ticks since boot: with the pid it names a process for good, until the next boot. */
  readonly startTicks: number;
  /** CPU time used by all of its threads, in clock ticks. */
  readonly cpuTicks: number;
}

/** The positions of proc(5)'s fields after the name, which is in parentheses and may hold anything. */
const STATE = 0;
const FLAGS = 6;
const UTIME = 11;
const STIME = 12;
const START = 19;
const PF_EXITING = 0x4;

/** Null when there is no such process. */
export function readStat(pid: number): ProcessStat | null {
  const text = readProcFile(`/proc/${pid}/stat`);
  return text === null ? null : parseStat(text);
}

/** Reads the one line of /proc/<pid>/stat; null when it is not one. */
export function parseStat(text: string): ProcessStat | null {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open === -1 || close < open) return null;
  const fields = text.slice(close + 2).split(' ');
  const number = (at: number): number => Number(fields[at]);
  const startTicks = number(START);
  const cpuTicks = number(UTIME) + number(STIME);
  if (!Number.isSafeInteger(startTicks) || !Number.isFinite(cpuTicks)) return null;
  return {
    state: fields[STATE] ?? '',
    name: text.slice(open + 1, close),
    isEnding: (number(FLAGS) & PF_EXITING) !== 0,
    startTicks,
    cpuTicks,
  };
}

/** Whether a process that the kernel still lists is none any more. */
export function isGone(stat: ProcessStat | null): boolean {
  return stat === null || stat.isEnding || stat.state === 'Z' || stat.state === 'X';
}

/** CPU time of the main thread in ns; null where the kernel does not keep it. */
export function readCpu_ns(pid: number): number | null {
  const first = readProcFile(`/proc/${pid}/schedstat`)?.split(' ')[0] ?? '';
  return /^\d+$/.test(first) ? Number(first) : null;
}

/** The same until the machine starts anew. */
export function bootId(): string {
  return (readProcFile('/proc/sys/kernel/random/boot_id') ?? '').trim();
}

/** The working directory of a process; null when it is gone or somebody else's. */
export function workingDirectory(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}

/** Null when it cannot be read: the process has gone, or is somebody else's. */
export function readProcFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
