/** Child processes: each ends with us, however we end, and only by its own pid. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

const alive = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

const LAST_WORDS_CHARS = 2_000;

export interface ProcessOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Where its output goes; without it only the end of the output is kept. */
  readonly log?: string;
}

/** A process that can be killed, frozen and started again with the same command. */
export class Process {
  #child: ChildProcess | null = null;
  #frozen = false;
  #lastWords = '';
  #notStarted: string | null = null;

  constructor(
    readonly command: string,
    readonly args: readonly string[],
    readonly options: ProcessOptions = {},
  ) {}

  get state(): 'up' | 'frozen' | 'down' {
    if (this.#child === null) return 'down';
    return this.#frozen ? 'frozen' : 'up';
  }

  /** What it wrote last to stderr or stdout, for a message when it does not come up. */
  get lastWords(): string {
    const { log } = this.options;
    return (log === undefined ? this.#lastWords : readFileSync(log, 'utf8').slice(-LAST_WORDS_CHARS)).trim();
  }

  /** Why the system could not even start it; null when it could. */
  get notStarted(): string | null {
    return this.#notStarted;
  }

  start(): void {
    if (this.#child !== null) return;
    const child = this.#spawn();
    this.#child = child;
    this.#frozen = false;
    alive.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS_CHARS);
      });
    }
    const gone = (): void => {
      alive.delete(child);
      if (this.#child === child) this.#child = null;
    };
    child.on('exit', gone);
    child.on('error', (error: NodeJS.ErrnoException) => {
      this.#notStarted = error.code === 'ENOENT' ? 'there is no such program' : error.message;
      gone();
    });
  }

  /** In a session of its own: a Ctrl-C on our terminal is for us alone. */
  #spawn(): ChildProcess {
    const { log, env = process.env } = this.options;
    const output = log === undefined ? 'pipe' : openSync(log, 'a');
    try {
      return spawn(this.command, this.args, { env, stdio: ['ignore', output, output], detached: true });
    } finally {
      if (output !== 'pipe') closeSync(output);
    }
  }

  /** SIGSTOP: it keeps its connections and answers nothing. */
  freeze(): void {
    this.#frozen = this.#child?.kill('SIGSTOP') === true;
  }

  thaw(): void {
    if (this.#frozen) this.#child?.kill('SIGCONT');
    this.#frozen = false;
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  /** Kills it and resolves when it is gone. */
  async end(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
      child.kill('SIGKILL');
    });
  }
}
