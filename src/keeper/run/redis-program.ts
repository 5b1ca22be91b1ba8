/**
 * Starting redis-server so that it outlives us: it has a session and a process group of its own, standard output and error
 * go to its log file, standard input is a file in memory, and nothing of it is a pipe to us. Under systemd the agent's unit
 * needs `KillMode=process`, or a restart of the agent would take Redis with it, and `OOMPolicy=continue`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { openMemoryFile } from '../../net/memory-file.js';
import { redisEnvironment } from './redis-surroundings.js';

export interface RedisProgram {
  readonly group: string;
  /** A name looked up on PATH, or a path. */
  readonly program: string;
  /** Where it begins; it exists. */
  readonly directory: string;
  /** Read from standard input. */
  readonly conf: Uint8Array;
  /** Where it writes what it cannot log: before its log is open, and when it crashes. */
  readonly logFile: string;
}

/** As `spawn`: whether it could be started is told by events. @throws {SystemError} without memory for its configuration */
export function spawnRedis(what: RedisProgram, onTrouble: (text: string) => void): ChildProcess {
  const input = openMemoryFile(`tanist-${what.group}.conf`, what.conf);
  try {
    const output = openLog(what.logFile, onTrouble);
    try {
      return spawn(what.program, ['-'], {
        cwd: what.directory,
        env: redisEnvironment(process.env),
        detached: true,
        stdio: [input, output, output],
      });
    } finally {
      closeSync(output);
    }
  } finally {
    closeSync(input);
  }
}

/** A full disk must not keep Redis from starting: then what it says is lost. */
function openLog(path: string, onTrouble: (text: string) => void): number {
  try {
    return openSync(path, 'a', 0o640);
  } catch (error) {
    onTrouble(`the log of Redis cannot be written: ${String(error)}`);
    return openSync('/dev/null', 'w');
  }
}

/** What a Redis that is gone has left running: a child of it would put an old dump in place when it is done. */
export function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}
