/** Compares the file that this agent runs with to those of the others, and tells when they differ. */
import type { LogLevel } from '../observe/log.js';
import { type FileWord, fileWarning, loginRefusal, readFileWord } from './file-word.js';
import { NoAnswer, type Peers } from './peers.js';

const ASK_MS = 500;

export interface FileWatchOptions {
  readonly own: FileWord;
  readonly peers: Pick<Peers, 'hosts' | 'connection' | 'ask'>;
  readonly log: (level: LogLevel, text: string) => void;
}

export class FileWatch {
  readonly #options: FileWatchOptions;
  /** What others are told. */
  readonly word: string;
  /** By host: those whose file differs, or that do not let us in. */
  #warnings: ReadonlyMap<string, string> = new Map();
  /** By host: the connection that it has answered on. An agent reads its file once, and ends with its connections. */
  readonly #heard = new Map<string, number>();
  #asking = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.word = JSON.stringify(options.own);
  }

  /** For the status: one sentence each. Of a host that does not answer, what was last known. */
  get warnings(): readonly string[] {
    return [...this.#warnings.values()];
  }

  /** Asks whoever has not answered on this connection yet, unless that is under way. */
  async look(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const { peers } = this.#options;
    try {
      const before = this.#warnings;
      const after = new Map(before);
      const due = peers.hosts.filter((host) => this.#heard.get(host) !== peers.connection(host));
      await Promise.all(due.map((host) => this.#ask(host, after)));
      this.#warnings = after;
      this.#tell(before, after);
    } finally {
      this.#asking = false;
    }
  }

  async #ask(host: string, warnings: Map<string, string>): Promise<void> {
    const { peers, own } = this.#options;
    const connection = peers.connection(host);
    const reply = await peers.ask(host, ['SENTINEL', 'AGENT'], ASK_MS);
    const word = readFileWord(reply);
    const refusal = loginRefusal(host, reply);
    if (!(reply instanceof NoAnswer)) this.#heard.set(host, connection);
    if (word === null && refusal === null) return;
    const warning = word === null ? refusal : fileWarning(host, own, word);
    if (warning === null) warnings.delete(host);
    else warnings.set(host, warning);
  }

  #tell(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): void {
    const { log } = this.#options;
    for (const [host, text] of now) if (before.get(host) !== text) log('warning', text);
    for (const [host, text] of before) if (!now.has(host)) log('notice', `no more of this: ${text}`);
  }
}
