/** nutcracker's log: levels 0 to 11, to stderr or a file, the file opened again on request. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { PoolLog } from './forward/pool.js';

export const LEVEL_MAX = 11;
export const LEVEL_DEFAULT = 5;
const ERROR = 3;
const WARN = 4;
const NOTICE = 5;
export const INFO = 6;

/** `dated`: a time in front of each line. `journal`: its level, as sd-daemon(3) has it, for whoever keeps the log. */
export type LogFormat = 'dated' | 'journal';

const STDERR = 2;

export class ProxyLog implements PoolLog {
  #level: number;
  readonly #path: string | null;
  readonly #format: LogFormat;
  #fd: number;

  /**
   * @param path null for stderr.
   * @throws {Error} when the file cannot be opened.
   */
  constructor(level: number, path: string | null, format: LogFormat = 'dated') {
    this.#format = format;
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

  #write(level: number, text: string): void {
    const time = new Date().toISOString().replace('T', ' ').replace('Z', '');
    const front = this.#format === 'dated' ? `[${time}] ` : `<${level}>`;
    try {
      writeSync(this.#fd, `${front}${text}\n`);
    } catch {
      // A full disk or a closed stderr must not end the proxy.
    }
  }
}
