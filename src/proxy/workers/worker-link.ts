/** A worker as its parent sees it: orders with answers, each within a deadline. */
import type { Worker } from 'node:cluster';
import type { Snapshot } from '../measure/snapshot.js';
import { type Answer, type Letter, type Order, READY } from './messages.js';

interface Awaited {
  readonly resolve: (snapshot: Snapshot | null) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export class WorkerLink {
  /** What it counted when it was last asked. */
  lastSnapshot: Snapshot | null = null;
  readonly #worker: Worker;
  readonly #awaited = new Map<number, Awaited>();
  #nextId = 0;
  #state: 'starting' | 'ready' | 'gone' = 'starting';

  constructor(worker: Worker, exited: (link: WorkerLink, how: string) => void) {
    this.#worker = worker;
    worker.on('message', (answer: Answer) => this.#answered(answer));
    worker.on('error', () => {});
    worker.on('exit', (code, signal) => {
      this.#state = 'gone';
      for (const id of [...this.#awaited.keys()]) this.#answered({ id, error: 'the worker has ended', snapshot: null });
      exited(this, signal === null ? `exit code ${code}` : signal);
    });
  }

  get pid(): number {
    return this.#worker.process.pid ?? 0;
  }

  /** To be called at once: settles when orders are heard. @throws {Error} when that takes too long. */
  async ready(deadline_ms: number): Promise<void> {
    await this.#answerTo(READY, deadline_ms);
    this.#state = 'ready';
  }

  /** @throws {Error} with the worker's words, or when it does not answer in time. */
  order(order: Order, deadline_ms: number): Promise<Snapshot | null> {
    // A worker that is starting does not hear it.
    if (this.#state !== 'ready') return Promise.reject(new Error(`worker ${this.pid} is ${this.#state}`));
    const id = this.#nextId++;
    const letter: Letter = { id, order };
    const answer = this.#answerTo(id, deadline_ms);
    this.#worker.send(letter, (error) => {
      if (error !== null) this.#answered({ id, error: error.message, snapshot: null });
    });
    return answer;
  }

  #answerTo(id: number, deadline_ms: number): Promise<Snapshot | null> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#answered({ id, error: `worker ${this.pid} did not answer within ${deadline_ms} ms`, snapshot: null });
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

  kill(): void {
    if (this.#state !== 'gone') this.#worker.process.kill('SIGKILL');
  }
}
