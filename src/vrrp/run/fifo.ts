/** Notify FIFOs: a named pipe that gets a line for every event, and perhaps a script that reads it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, closeSync, constants, existsSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import type { Fifo } from '../../config/keepalived/model.js';
import { type CommandPolicy, commandFault } from './commands.js';
import type { Logger } from './logger.js';
import { resolveUser } from './users.js';

/** A reader that keeps ending is started again this often, then given up. */
const MAX_RESTARTS = 10;
const RESTART_MS = 1000;

export class NotifyFifo {
  readonly #fifo: Fifo;
  readonly #path: string;
  readonly #policy: CommandPolicy;
  readonly #log: Logger;
  readonly #fd: number;
  /** False when the pipe was there before us, and so stays. */
  readonly #made: boolean;
  #script: ChildProcess | null = null;
  #restarts = 0;
  #closed = false;
  #full = false;

  /** @throws {Error} when the pipe cannot be made or opened. */
  constructor(fifo: Fifo, path: string, policy: CommandPolicy, log: Logger) {
    this.#fifo = fifo;
    this.#path = path;
    this.#policy = policy;
    this.#log = log;
    this.#made = !existsSync(path);
    if (this.#made) makeFifo(path);
    if (!statSync(path).isFIFO()) throw new Error(`${path} is there, and is not a FIFO`);
    const ids = fifo.user === null ? null : resolveUser(fifo.user);
    if (typeof ids === 'string') throw new Error(`${path}: ${ids}`);
    if (ids !== null) chownSync(path, ids.uid, ids.gid);
    // Open for reading too, so that it opens at once and stays open when a reader goes.
    this.#fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    this.#start();
  }

  /** One line, e.g. `INSTANCE "VI_1" MASTER 100`. Dropped, and said so once, when nobody reads. */
  write(line: string): void {
    try {
      writeSync(this.#fd, `${line}\n`);
      this.#full = false;
    } catch (error) {
      if (!this.#full) this.#log('warn', null, `FIFO ${this.#path} drops lines: ${String(error)}`);
      this.#full = true;
    }
  }

  close(): void {
    this.#closed = true;
    this.#script?.kill('SIGTERM');
    closeSync(this.#fd);
    if (this.#made) rmSync(this.#path, { force: true });
  }

  #start(): void {
    const command = this.#fifo.script;
    if (command === null || this.#closed) return;
    const fault = commandFault(command, this.#policy);
    const user = command.user ?? this.#policy.user;
    const ids = user === null || process.getuid?.() !== 0 ? {} : resolveUser(user);
    if (fault !== null || typeof ids === 'string') {
      this.#log('error', null, `FIFO script: ${fault ?? String(ids)}`);
      return;
    }
    const [program = '', ...args] = command.argv;
    const child = spawn(program, [...args, this.#path], { stdio: 'ignore', cwd: '/', ...ids });
    this.#script = child;
    child.on('error', (error) => this.#log('error', null, `FIFO script ${program}: ${error.message}`));
    child.on('exit', (code, signal) => this.#ended(program, code, signal));
  }

  #ended(program: string, code: number | null, signal: string | null): void {
    if (this.#closed) return;
    this.#restarts++;
    const again = this.#restarts <= MAX_RESTARTS;
    this.#log('warn', null, `FIFO script ${program} ended (${code ?? signal})${again ? '' : ': given up'}`);
    if (again) setTimeout(() => this.#start(), RESTART_MS).unref();
  }
}

function makeFifo(path: string): void {
  const { status, stderr } = spawnSync('mkfifo', ['-m', '600', path], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cannot make FIFO ${path}: ${stderr.trim()}`);
}
