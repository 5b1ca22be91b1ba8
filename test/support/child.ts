import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Cleanup } from './cleanup.js';
import { atExit } from './last-rites.js';
import { until } from './until.js';

/** What to start. */
export interface ChildOptions {
  readonly command: string;
  readonly args?: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** How a child ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const outputKept_chars = 1_000_000;
const setpriv = '/usr/bin/setpriv';

/** A process that cannot outlive the test: it ends with the cleanup, with this process, and even with its kill -9. */
export class Child {
  /** Settles when the process is gone and its output has been read. */
  readonly exited: Promise<ChildExit>;
  readonly #process: ChildProcess;
  readonly #name: string;
  #output = '';
  #exit: ChildExit | null = null;

  constructor(options: ChildOptions, cleanup: Cleanup) {
    const { command, args = [], env = {}, cwd } = options;
    this.#name = command.slice(command.lastIndexOf('/') + 1);
    // The kernel sends the death signal when we die without a chance to clean up; the pid stays the command's own.
    const [file, ...before] = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL', '--', command] : [command];
    this.#process = spawn(file ?? command, [...before, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-outputKept_chars);
      });
    }
    const forget = atExit(() => this.kill('SIGKILL'));
    this.exited = new Promise((resolve) => {
      const settle = (exit: ChildExit) => {
        this.#exit = exit;
        forget();
        resolve(exit);
      };
      this.#process.once('close', (code, signal) => settle({ code, signal }));
      this.#process.once('error', (error) => {
        this.#output += `${error.message}\n`;
        if (this.#process.pid === undefined) settle({ code: null, signal: null });
      });
    });
    cleanup.add(() => this.stop());
  }

  /** @throws {Error} when the process could not be started. */
  get pid(): number {
    if (this.#process.pid === undefined) throw new Error(`${this.#name} did not start: ${this.#output}`);
    return this.#process.pid;
  }

  /** What it wrote to stdout and stderr so far, in order of arrival; only the last million characters are kept. */
  get output(): string {
    return this.#output;
  }

  /** null while it runs. */
  get exit(): ChildExit | null {
    return this.#exit;
  }

  /** Sends a signal; nothing happens when the process is gone. */
  kill(signal: NodeJS.Signals): void {
    if (this.#exit === null && this.#process.pid !== undefined) this.#process.kill(signal);
  }

  /** Ends it without a chance to say goodbye, and waits until it is gone. */
  async kill9(): Promise<ChildExit> {
    this.kill('SIGKILL');
    return this.exited;
  }

  /** Asks it to end (SIGTERM); after the deadline it is killed. */
  async stop(deadline_ms = 5_000): Promise<ChildExit> {
    // A frozen process would sit on the SIGTERM.
    this.kill('SIGCONT');
    this.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), deadline_ms);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Stops it in its tracks (SIGSTOP): connections stay open, nothing is answered. */
  freeze(): void {
    this.kill('SIGSTOP');
  }

  /** Lets it go on. */
  thaw(): void {
    this.kill('SIGCONT');
  }

  /**
   * Waits until its output matches; `from` is where to start looking, e.g. an earlier `output.length`.
   * @throws {Error} at the deadline, or when the process ends first, with the last of its output.
   */
  async untilOutput(pattern: RegExp, options: { from?: number; deadline_ms?: number } = {}): Promise<RegExpMatchArray> {
    const { from = 0, deadline_ms = 15_000 } = options;
    const look = () => this.#output.slice(from).match(pattern) ?? (this.#exit === null ? null : 'ended');
    const tail = () => this.#output.slice(-2_000);
    const found = await until(look, { what: `${pattern} from ${this.#name}`, deadline_ms }).catch((error: Error) => {
      throw new Error(`${error.message}\n--- the last output of ${this.#name}:\n${tail()}`);
    });
    if (typeof found === 'string') throw new Error(`${this.#name} ended before ${pattern}:\n${tail()}`);
    return found;
  }
}

/** Starts a child; see {@link Child}. */
export function startChild(options: ChildOptions, cleanup: Cleanup): Child {
  return new Child(options, cleanup);
}
