/** Compares the file that this agent runs with to those of the others, and tells when they differ. */
import type { LogLevel } from '../observe/log.js';
import type { Reply } from '../redis/reply.js';
import { type FileWord, fileWarning, loginRefusal, readFileWord } from './file-word.js';

const ASK_MS = 500;

export interface FileWatchOptions {
  readonly own: FileWord;
  readonly askAll: (args: readonly string[], deadline_ms: number) => Promise<ReadonlyMap<string, Reply>>;
  readonly log: (level: LogLevel, text: string) => void;
}

export class FileWatch {
  readonly #options: FileWatchOptions;
  /** By host: those whose file differs, or that do not let us in. */
  #warnings: ReadonlyMap<string, string> = new Map();
  #asking = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /** For the status: one sentence each. Of a host that does not answer, what was last known. */
  get warnings(): readonly string[] {
    return [...this.#warnings.values()];
  }

  /** What others are told. */
  get word(): string {
    return JSON.stringify(this.#options.own);
  }

  /** Asks all others, unless that is under way. */
  async look(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const replies = await this.#options.askAll(['SENTINEL', 'AGENT'], ASK_MS);
    this.#asking = false;
    const before = this.#warnings;
    const now = new Map(before);
    for (const [host, reply] of replies) {
      const word = readFileWord(reply);
      const refusal = loginRefusal(host, reply);
      if (word === null && refusal === null) continue;
      const warning = word === null ? refusal : fileWarning(host, this.#options.own, word);
      if (warning === null) now.delete(host);
      else now.set(host, warning);
    }
    this.#warnings = now;
    this.#tell(before, now);
  }

  #tell(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): void {
    const { log } = this.#options;
    for (const [host, text] of now) if (before.get(host) !== text) log('warning', text);
    for (const [host, text] of before) if (!now.has(host)) log('notice', `no more of this: ${text}`);
  }
}
