/** The way to another proxy process, whatever carries it: letters out, what it says in, and the news of its end. */
import type { ChildProcess, SendHandle } from 'node:child_process';
import type { DoorHandle } from '../listener.js';
import type { Letter, Said } from './messages.js';

export interface ChannelEvents {
  readonly said: (message: Said, handle: DoorHandle | null) => void;
  /** The process cannot be spoken to any more; `how` it ended, as far as that is known. Told once. */
  readonly gone: (how: string) => void;
}

export interface Channel {
  /** 0 for a process that could not be started. */
  readonly pid: number;
  /** To be called once, and at once: what is said earlier is lost. */
  listen(events: ChannelEvents): void;
  /** @param failed told when it could not be sent */
  send(letter: Letter, failed: (error: Error) => void): void;
  /** Ends the process, wherever it hangs. */
  kill(): void;
}

/** To a child with Node's own channel. */
export class ChildChannel implements Channel {
  readonly #child: ChildProcess;

  /** @param child of a cluster's worker, its `process`. */
  constructor(child: ChildProcess) {
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  listen({ said, gone }: ChannelEvents): void {
    const child = this.#child;
    child.on('message', (message: Said, handle) => said(message, (handle as DoorHandle | undefined) ?? null));
    let over = false;
    const end = (how: string): void => {
      if (!over) gone(how);
      over = true;
    };
    // Without a pid it has never run, and no exit will be told.
    child.on('error', (error) => {
      if (child.pid === undefined) end(error.message);
    });
    child.on('exit', (code, signal) => end(signal === null ? `exit code ${code}` : signal));
  }

  send(letter: Letter, failed: (error: Error) => void): void {
    this.#child.send(letter, (error) => {
      if (error !== null) failed(error);
    });
  }

  /** Lets the process have an open door as well. @throws {Error} (rejects) when it has gone */
  give(door: string, handle: DoorHandle): Promise<void> {
    return new Promise((resolve, reject) => {
      // A raw handle: a `net.Server` would begin to accept on arrival, before anybody serves it.
      this.#child.send({ door }, handle as unknown as SendHandle, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
