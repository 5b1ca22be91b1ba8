/** One agent to a state directory: two would each keep the same Redis, and each forget what the other was granted. */
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile } from '../../net/file-lock.js';

/** The state directory is in use. */
export class StateLockedError extends Error {
  override readonly name = 'StateLockedError';
  readonly code = 'ERR_STATE_LOCKED';
}

/** Held until `release`, or until this process ends in whatever way: the kernel lets go of it. */
export class StateLock {
  readonly #fd: number;

  /**
   * Makes the directory if there is none, for its owner alone.
   * @throws {StateLockedError} when another process holds it
   * @throws {Error} the system's, when the directory cannot be written
   */
  constructor(stateDirectory: string) {
    mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
    const path = join(stateDirectory, 'lock');
    this.#fd = openSync(path, 'a+', 0o600);
    try {
      if (!lockFile(this.#fd, path)) throw new StateLockedError(refusal(stateDirectory, path));
      ftruncateSync(this.#fd);
      writeSync(this.#fd, `${process.pid}\n`);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  release(): void {
    closeSync(this.#fd);
  }
}

function refusal(stateDirectory: string, path: string): string {
  const pid = readFileSync(path, 'utf8').trim();
  const who = /^\d+$/.test(pid) ? ` (process ${pid})` : '';
  return (
    `${stateDirectory} is in use by another agent${who}: end that one first, ` +
    'or give this one a state_directory of its own'
  );
}
