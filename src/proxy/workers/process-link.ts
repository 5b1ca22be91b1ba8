/** A proxy process as its parent, or its agent, sees it: orders with answers, each within a deadline. */
import type { DoorHandle } from '../listener.js';
import type { Snapshot } from '../measure/snapshot.js';
import type { Channel } from './channel.js';
import { type Answer, type Letter, type LogLine, type Order, READY, type Result, type Said } from './messages.js';

interface Awaited {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export interface ProcessLinkEvents {
  readonly exited: (link: ProcessLink, how: string) => void;
  readonly doubted: (group: string, reason: string) => void;
  readonly logged: (line: LogLine) => void;
}

export class ProcessLink {
  /** What it counted when it was last asked. */
  lastSnapshot: Snapshot | null = null;
  readonly #channel: Channel;
  readonly #events: ProcessLinkEvents;
  readonly #awaited = new Map<number, Awaited>();
  /** What it has shown; null while nobody has asked. */
  #doors: Map<string, DoorHandle> | null = null;
  readonly #exit: Promise<void>;
  #exited: () => void = () => {};
  #nextId = 0;
  #state: 'starting' | 'ready' | 'gone' = 'starting';

  constructor(channel: Channel, events: ProcessLinkEvents) {
    this.#channel = channel;
    this.#events = events;
    this.#exit = new Promise((resolve) => {
      this.#exited = resolve;
    });
    channel.listen({ said: (message, handle) => this.#heard(message, handle), gone: (how) => this.#gone(how) });
  }

  get pid(): number {
    return this.#channel.pid;
  }

  get ready(): boolean {
    return this.#state === 'ready';
  }

  #heard(message: Said, handle: DoorHandle | null): void {
    if ('doubt' in message) this.#events.doubted(message.doubt, message.reason);
    else if ('line' in message) this.#events.logged(message);
    else if ('door' in message) {
      // One that nobody waits for any more would be listened on for as long as this process lives.
      if (this.#doors === null) handle?.close();
      else if (handle !== null) this.#doors.set(message.door, handle);
    } else this.#answered(message);
  }

  #gone(how: string): void {
    if (this.#state === 'gone') return;
    this.#state = 'gone';
    for (const id of [...this.#awaited.keys()]) this.#answered({ id, error: `it has ended: ${how}`, result: {} });
    this.#events.exited(this, how);
    this.#exited();
  }

  /** To be called at once: settles when orders are heard. @throws {Error} when that takes too long. */
  async started(deadline_ms: number): Promise<Result> {
    const result = await this.#answerTo(READY, deadline_ms);
    this.#state = 'ready';
    return result;
  }

  /** @throws {Error} with the process's words, or when it does not answer in time. */
  order(order: Order, deadline_ms: number): Promise<Result> {
    // A process that is starting does not hear it.
    if (this.#state !== 'ready') return Promise.reject(new Error(`process ${this.pid} is ${this.#state}`));
    const id = this.#nextId++;
    const letter: Letter = { id, order };
    const answer = this.#answerTo(id, deadline_ms);
    this.#channel.send(letter, (error) => this.#answered({ id, error: error.message, result: {} }));
    return answer;
  }

  /**
   * Its open doors, by name, with handles of ours, which the caller closes: as long as they are open, nobody else can listen
   * there.
   * @throws {Error} as `order` does
   */
  async showDoors(deadline_ms: number): Promise<ReadonlyMap<string, DoorHandle>> {
    const doors = new Map<string, DoorHandle>();
    this.#doors = doors;
    try {
      await this.order({ kind: 'show-doors' }, deadline_ms);
    } catch (error) {
      for (const handle of doors.values()) handle.close();
      throw error;
    } finally {
      this.#doors = null;
    }
    return doors;
  }

  #answerTo(id: number, deadline_ms: number): Promise<Result> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const error = `process ${this.pid} did not answer within ${deadline_ms} ms`;
        this.#answered({ id, error, result: {} });
      }, deadline_ms);
      this.#awaited.set(id, { resolve, reject, timer });
    });
  }

  #answered({ id, error, result }: Answer): void {
    const awaited = this.#awaited.get(id);
    if (awaited === undefined) return;
    this.#awaited.delete(id);
    clearTimeout(awaited.timer);
    const { snapshot = null } = result;
    if (snapshot !== null) this.lastSnapshot = snapshot;
    if (error === null) awaited.resolve(result);
    else awaited.reject(new Error(error));
  }

  /** Tells it to stop and waits until it has ended, by force when it takes longer than it may. Never rejects. */
  async end(drain_ms: number, deadline_ms: number): Promise<void> {
    await this.order({ kind: 'stop', drain_ms }, drain_ms + deadline_ms).catch(() => {});
    this.kill();
    if (this.pid !== 0) await this.#exit;
  }

  /** Waits for nothing more, and does nothing more to the process. */
  forget(): void {
    this.#state = 'gone';
    for (const id of [...this.#awaited.keys()]) this.#answered({ id, error: 'it was let go', result: {} });
  }

  kill(): void {
    if (this.#state !== 'gone') this.#channel.kill();
  }
}
