/** The file that says which process this is. */
import { unlinkSync, writeFileSync } from 'node:fs';
import { errorText } from '../../base/error-text.js';

/** Where redis-server puts it when it runs in the background and is not told. */
const DEFAULT_PATH = '/var/run/redis.pid';

export class Pidfile {
  /** Empty: none is wanted. */
  readonly #path: string;
  #written = false;

  constructor(path: string, daemonize: boolean) {
    this.#path = path === '' && daemonize ? DEFAULT_PATH : path;
  }

  /** @returns why it could not be written, or null; a Sentinel works without */
  write(): string | null {
    if (this.#path === '') return null;
    try {
      writeFileSync(this.#path, `${process.pid}\n`);
      this.#written = true;
      return null;
    } catch (error) {
      return errorText(error);
    }
  }

  remove(): void {
    if (!this.#written) return;
    try {
      unlinkSync(this.#path);
    } catch {
      // Somebody else has removed it.
    }
  }
}
