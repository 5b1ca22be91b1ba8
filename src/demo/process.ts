/** Child processes of the demo: each ends with us, however we end, and only by its own pid. */
import { type ChildProcess, spawn } from 'node:child_process';

const alive = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** A process that can be killed, frozen and started again with the same command. */
export class Process {
  #child: ChildProcess | null = null;
  #frozen = false;
  #lastWords = '';
  #notStarted: string | null = null;

  constructor(
    readonly command: string,
    readonly args: readonly string[],
    readonly env: NodeJS.ProcessEnv = process.env,
  ) {}

  get state(): 'up' | 'frozen' | 'down' {
    if (this.#child === null) return 'down';
    return this.#frozen ? 'frozen' : 'up';
  }

  /** What it wrote last to stderr or stdout, for a message when it does not come up. */
  get lastWords(): string {
    return this.#lastWords.trim();
  }

  /** Why the system could not even start it; null when it could. */
  get notStarted(): string | null {
    return this.#notStarted;
  }

  start(): void {
    if (this.#child !== null) return;
    const child = spawn(this.command, this.args, { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#frozen = false;
    alive.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        this.#lastWords = (this.#lastWords + text).slice(-2_000);
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
