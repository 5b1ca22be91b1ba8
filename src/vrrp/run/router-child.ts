/** The router process as its supervisor sees it: started, fed, started again when it dies. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { AmbientRights } from '../../net/ambient-rights.js';
import type { Logger } from './logger.js';
import { type FromRouter, LineCutter, type ToRouter } from './messages.js';

const ENTRY = fileURLToPath(new URL('./router-process.js', import.meta.url));
/** Small, so that a garbage collection is short. */
const HEAP = ['--max-old-space-size=64', '--max-semi-space-size=2'];
const RESTART_MIN_MS = 100;
const RESTART_MAX_MS = 5000;
/** Having lived this long, a process that dies is started again at once. */
const HEALTHY_MS = 60_000;
const MAX_RESTARTS = 20;
/** How long it may take to leave: one advert and some addresses. */
const STOP_MS = 3000;

export interface RouterChildEvents {
  /** A new process is ready for its configuration. */
  started(): void;
  message(message: FromRouter): void;
  /** What was written has gone, after it had not. */
  drained?(): void;
  /** It has died too often. */
  givenUp(): void;
}

export class RouterChild {
  readonly #events: RouterChildEvents;
  readonly #log: Logger;
  readonly #rights: AmbientRights | null;
  #child: ChildProcess | null = null;
  #stopping = false;
  #restarts = 0;
  #startedAt = 0;

  /** @param rights what this process's other children must not have, and the router needs; null to leave it at that */
  constructor(events: RouterChildEvents, log: Logger, rights: AmbientRights | null = null) {
    this.#events = events;
    this.#log = log;
    this.#rights = rights;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  start(): void {
    this.#startedAt = performance.now();
    // A session of its own: what a terminal sends to our group is for us to answer.
    const spawnRouter = (): ChildProcess =>
      spawn(process.execPath, [...HEAP, ENTRY], {
        stdio: ['ignore', 'inherit', 'inherit', 'pipe', 'pipe'],
        detached: true,
      });
    const child = this.#rights === null ? spawnRouter() : this.#rights.lend(spawnRouter);
    this.#child = child;
    const output = child.stdio[4] as Readable;
    const cutter = new LineCutter();
    output.on('data', (chunk: Buffer) => {
      for (const line of cutter.push(chunk)) this.#events.message(JSON.parse(line));
    });
    // What is written to a process that has just died is lost with it.
    const input = child.stdio[3] as Writable;
    input.on('error', () => undefined);
    input.on('drain', () => this.#events.drained?.());
    child.on('error', (error) => {
      this.#log('error', null, `the router process cannot start: ${error.message}`);
      if (child.pid === undefined) this.#ended(null, null);
    });
    child.on('exit', (code, signal) => this.#ended(code, signal));
    this.#events.started();
  }

  /** True while it does not read, so that what is sent piles up here. */
  get congested(): boolean {
    const input = this.#child?.stdio[3] as Writable | undefined;
    return input?.writableNeedDrain === true;
  }

  /** Ends it at once; another one is started. */
  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  send(message: ToRouter): void {
    const input = this.#child?.stdio[3] as Writable | undefined;
    if (input?.writable === true) input.write(`${JSON.stringify(message)}\n`);
  }

  /** Lets it leave; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.send({ say: 'stop' });
    const timer = setTimeout(() => {
      this.#log('error', null, `the router process has not left within ${STOP_MS / 1000} s: killed`);
      child.kill('SIGKILL');
    }, STOP_MS);
    await ended;
    clearTimeout(timer);
  }

  #ended(code: number | null, signal: string | null): void {
    if (this.#stopping) return;
    if (performance.now() - this.#startedAt > HEALTHY_MS) this.#restarts = 0;
    this.#restarts++;
    this.#log('error', null, `the router process died (${code ?? signal})`);
    if (this.#restarts > MAX_RESTARTS) {
      this.#events.givenUp();
      return;
    }
    const wait_ms = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** (this.#restarts - 1)) * (0.75 + Math.random() / 2);
    setTimeout(() => {
      if (!this.#stopping) this.start();
    }, wait_ms);
  }
}
