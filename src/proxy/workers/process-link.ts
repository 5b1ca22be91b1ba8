/** A proxy process as its parent sees it: orders with answers, each within a deadline. */
import type { ChildProcess } from 'node:child_process';
import type { Snapshot } from '../measure/snapshot.js';
import { type Answer, type Doubt, type Letter, type Order, READY } from './messages.js';

interface Awaited {
  readonly resolve: (snapshot: Snapshot | null) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export interface ProcessLinkEvents {
  readonly exited: (link: ProcessLink, how: string) => void;
  readonly doubted: (group: string, reason: string) => void;
}

export class ProcessLink {
  /** What it counted when it was last asked. */
  lastSnapshot: Snapshot | null = null;
  readonly #child: ChildProcess;
  readonly #awaited = new Map<number, Awaited>();
  readonly #exit: Promise<void>;
  #nextId = 0;
  #state: 'starting' | 'ready' | 'gone' = 'starting';

  /** @param child a process with a channel; of a cluster's worker, its `process`. */
  constructor(child: ChildProcess, events: ProcessLinkEvents) {
    this.#child = child;
    child.on('message', (message: Answer | Doubt) => {
      if ('doubt' in message) events.doubted(message.doubt, message.reason);
      else this.#answered(message);
    });
    const gone = (how: string): void => {
      if (this.#state === 'gone') return;
      this.#state = 'gone';
      for (const id of [...this.#awaited.keys()]) this.#answered({ id, error: `it has ended: ${how}`, snapshot: null });
      events.exited(this, how);
    };
    // Without a pid it has never run, and no exit will be told.
    child.on('error', (error) => {
      if (child.pid === undefined) gone(error.message);
    });
    this.#exit = new Promise((resolve) => {
      child.on('exit', (code, signal) => {
        gone(signal === null ? `exit code ${code}` : signal);
        resolve();
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get ready(): boolean {
    return this.#state === 'ready';
  }

  /** To be called at once: settles when orders are heard. @throws {Error} when that takes too long. */
  async started(deadline_ms: number): Promise<void> {
    await this.#answerTo(READY, deadline_ms);
    this.#state = 'ready';
  }

  /** @throws {Error} with the process's words, or when it does not answer in time. */
  order(order: Order, deadline_ms: number): Promise<Snapshot | null> {
    // A process that is starting does not hear it.
    if (this.#state !== 'ready') return Promise.reject(new Error(`process ${this.pid} is ${this.#state}`));
    const id = this.#nextId++;
    const letter: Letter = { id, order };
    const answer = this.#answerTo(id, deadline_ms);
    this.#child.send(letter, (error) => {
      if (error !== null) this.#answered({ id, error: error.message, snapshot: null });
    });
    return answer;
  }

  #answerTo(id: number, deadline_ms: number): Promise<Snapshot | null> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#answered({ id, error: `process ${this.pid} did not answer within ${deadline_ms} ms`, snapshot: null });
      }, deadline_ms);
      this.#awaited.set(id, { resolve, reject, timer });
    });
  }

  #answered({ id, error, snapshot }: Answer): void {
    const awaited = this.#awaited.get(id);
    if (awaited === undefined) return;
    this.#awaited.delete(id);
    clearTimeout(awaited.timer);
    if (snapshot !== null) this.lastSnapshot = snapshot;
    if (error === null) awaited.resolve(snapshot);
    else awaited.reject(new Error(error));
  }

  /** Tells it to stop and waits until it has ended, by force when it takes longer than it may. Never rejects. */
  async end(drain_ms: number, deadline_ms: number): Promise<void> {
    await this.order({ kind: 'stop', drain_ms }, drain_ms + deadline_ms).catch(() => {});
    this.kill();
    if (this.#child.pid !== undefined) await this.#exit;
  }

  kill(): void {
    if (this.#state !== 'gone') this.#child.kill('SIGKILL');
  }
}
