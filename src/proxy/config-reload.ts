/**
 * Keeps a running proxy at what its configuration file says: read again on request and when the file has changed. A file
 * is checked whole before anything is done, and one that cannot be used is complained about once.
 */
import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { errorText } from '../base/error-text.js';
import type { NutcrackerConfig } from '../config/nutcracker-types.js';
import { readProxyConfig } from './read-config.js';

/** How often the file is looked at. */
const LOOK_MS = 500;

export interface ReloadLog {
  error(text: string): void;
  notice(text: string): void;
}

export interface ConfigReloadOptions {
  readonly file: string;
  /** What the file said when the proxy started. */
  readonly text: string;
  readonly log: ReloadLog;
  /** Puts a checked configuration into effect, all of it or nothing. */
  readonly apply: (config: NutcrackerConfig) => Promise<void>;
}

export class ConfigReload {
  readonly #options: ConfigReloadOptions;
  /** What was last put into effect, or refused; null for a file that could not be read. */
  #text: string | null;
  /** Reloads come one after the other. */
  #last: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #looking = false;
  #seen = '';
  #taken = '';

  constructor(options: ConfigReloadOptions) {
    this.#options = options;
    this.#text = options.text;
  }

  /** Reads the file now, whether it has changed or not. Never rejects. */
  now(): Promise<void> {
    return this.#queue(false);
  }

  /**
   * Reads the file whenever it has changed and then been the same for two looks: somebody may still be writing it. It is
   * looked at by its path, since editors and deployments put another file in its place.
   */
  watch(): void {
    this.#timer ??= setInterval(() => void this.#look(), LOOK_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const now = await fingerprint(this.#options.file);
    this.#looking = false;
    const settled = now === this.#seen;
    this.#seen = now;
    if (!settled || now === this.#taken || this.#timer === null) return;
    this.#taken = now;
    await this.#queue(true);
  }

  #queue(onlyIfChanged: boolean): Promise<void> {
    this.#last = this.#last.then(() => this.#read(onlyIfChanged));
    return this.#last;
  }

  async #read(onlyIfChanged: boolean): Promise<void> {
    const { file, log, apply } = this.#options;
    const before = this.#text;
    try {
      this.#text = null;
      const text = readFileSync(file, 'utf8');
      this.#text = text;
      if (onlyIfChanged && text === before) return;
      await apply(readProxyConfig(text, file));
      log.notice(`configuration file '${file}' is in effect`);
    } catch (error) {
      log.error(`configuration unchanged: ${errorText(error)}`);
    }
  }
}

/** Differs when the file at this path does, or when there is none. */
async function fingerprint(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
  }
}
