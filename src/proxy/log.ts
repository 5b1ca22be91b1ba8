/** nutcracker's log: levels 0 to 11, to stderr or a file, the file opened again on request. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { PoolLog } from './forward/pool.js';

export const LEVEL_MAX = 11;
export const LEVEL_DEFAULT = 5;
const ERROR = 3;
const WARN = 4;
const NOTICE = 5;
const INFO = 6;

const STDERR = 2;

export class ProxyLog implements PoolLog {
  #level: number;
  readonly #path: string | null;
  #fd: number;

  /**
   * @param path null for stderr.
   * @throws {Error} when the file cannot be opened.
   */
  constructor(level: number, path: string | null) {
    this.#level = Math.min(Math.max(level, 0), LEVEL_MAX);
    this.#path = path;
    this.#fd = path === null ? STDERR : openSync(path, 'a');
  }

  get level(): number {
    return this.#level;
  }

  setLevel(level: number): void {
    this.#level = Math.min(Math.max(level, 0), LEVEL_MAX);
  }

  /** Says more, or less. */
  louder(): void {
    this.#level = Math.min(this.#level + 1, LEVEL_MAX);
    this.#write(`log level is ${this.#level}`);
  }

  quieter(): void {
    this.#level = Math.max(this.#level - 1, 0);
    this.#write(`log level is ${this.#level}`);
  }

  /** Opens the file again, after somebody has moved it away. */
  reopen(): void {
    if (this.#path === null) return;
    const next = openSync(this.#path, 'a');
    closeSync(this.#fd);
    this.#fd = next;
  }

  error(text: string): void {
    if (this.#level >= ERROR) this.#write(text);
  }

  warn(text: string): void {
    if (this.#level >= WARN) this.#write(text);
  }

  notice(text: string): void {
    if (this.#level >= NOTICE) this.#write(text);
  }

  info(text: string): void {
    if (this.#level >= INFO) this.#write(text);
  }

  #write(text: string): void {
    const time = new Date().toISOString().replace('T', ' ').replace('Z', '');
    try {
      writeSync(this.#fd, `[${time}] ${text}\n`);
    } catch {
      // A full disk or a closed stderr must not end the proxy.
    }
  }
}
