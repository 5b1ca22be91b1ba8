/** nutcracker's log: levels 0 to 11, to stderr or a file, the file opened again on request; or to whoever keeps it. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { PoolLog } from './forward/pool.js';

export const LEVEL_MAX = 11;
export const LEVEL_DEFAULT = 5;
const ERROR = 3;
const WARN = 4;
const NOTICE = 5;
export const INFO = 6;

/** Takes lines with their level, as sd-daemon(3) counts. */
export type LogKeeper = (level: number, line: string) => void;

const STDERR = 2;

export class ProxyLog implements PoolLog {
  #level: number;
  readonly #path: string | null;
  readonly #keeper: LogKeeper | null;
  #fd: number;

  /**
   * @param to a file; null for stderr; or who keeps the log.
   * @throws {Error} when the file cannot be opened.
   */
  constructor(level: number, to: string | null | LogKeeper) {
    this.#level = Math.min(Math.max(level, 0), LEVEL_MAX);
    this.#keeper = typeof to === 'function' ? to : null;
    this.#path = typeof to === 'string' ? to : null;
    this.#fd = this.#path === null ? STDERR : openSync(this.#path, 'a');
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
    this.#write(NOTICE, `log level is ${this.#level}`);
  }

  quieter(): void {
    this.#level = Math.max(this.#level - 1, 0);
    this.#write(NOTICE, `log level is ${this.#level}`);
  }

  /** Opens the file again, after somebody has moved it away. */
  reopen(): void {
    if (this.#path === null) return;
    const next = openSync(this.#path, 'a');
    closeSync(this.#fd);
    this.#fd = next;
  }

  error(text: string): void {
    if (this.#level >= ERROR) this.#write(ERROR, text);
  }

  warn(text: string): void {
    if (this.#level >= WARN) this.#write(WARN, text);
  }

  notice(text: string): void {
    if (this.#level >= NOTICE) this.#write(NOTICE, text);
  }

  info(text: string): void {
    if (this.#level >= INFO) this.#write(INFO, text);
  }

  /** Writes a line that has come with its level, as from a worker. */
  pass(level: number, line: string): void {
    if (level <= this.#level) this.#write(level, line);
  }

  #write(level: number, text: string): void {
    if (this.#keeper !== null) return this.#keeper(level, text);
    const time = new Date().toISOString().replace('T', ' ').replace('Z', '');
    try {
      writeSync(this.#fd, `[${time}] ${text}\n`);
    } catch {
      // A full disk or a closed stderr must not end the proxy.
    }
  }
}
