/** The agent's end of the way to a proxy that outlives it. */
import type { ChildProcess } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { isAlive, KILLED_MS, killProcess, type ProcessId, untilGone } from '../../net/process-id.js';
import type { Channel, ChannelEvents } from '../workers/channel.js';
import type { Letter, Said } from '../workers/messages.js';
import { onMessages, writeMessage } from './json-lines.js';
import { socketPath } from './places.js';

/** The end of a process and of its connection are told in any order. */
const EXIT_NEWS_MS = 500;
/** What was said last may take so long to leave. */
const FLUSH_MS = 500;

/** @throws {Error} (rejects) when nobody listens there, or nobody accepts in time */
export function connectTo(directory: string, id: ProcessId, deadline_ms: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath(directory, id));
    const timer = setTimeout(() => socket.destroy(new Error(`process ${id.pid} does not answer`)), deadline_ms);
    socket.once('error', reject);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('close', () => clearTimeout(timer));
  });
}

export class SocketChannel implements Channel {
  readonly id: ProcessId;
  readonly #socket: Socket;
  readonly #child: ChildProcess | null;
  #events: ChannelEvents | null = null;
  #letGo = false;

  /** @param child the process, if it is our own child */
  constructor(socket: Socket, id: ProcessId, child: ChildProcess | null) {
    this.#socket = socket;
    this.id = id;
    this.#child = child;
  }

  get pid(): number {
    return this.id.pid;
  }

  listen(events: ChannelEvents): void {
    this.#events = events;
    onMessages(this.#socket, (message) => events.said(message as Said, null));
    this.#socket.on('close', () => void this.#closed());
  }

  async #closed(): Promise<void> {
    if (this.#letGo) return;
    // It lets go of its connection a moment before it is gone, and how is told a moment later.
    await untilGone(this.id, EXIT_NEWS_MS, this.#child);
    if (!this.#letGo) this.#events?.gone(this.#how());
  }

  /** Settles when the process is no more. */
  async died(): Promise<void> {
    await untilGone(this.id, KILLED_MS, this.#child);
  }

  #how(): string {
    const { exitCode = null, signalCode = null } = this.#child ?? {};
    if (signalCode !== null) return signalCode;
    if (exitCode !== null) return `exit code ${exitCode}`;
    return isAlive(this.id) ? 'it speaks no more' : 'it is gone';
  }

  send(letter: Letter, failed: (error: Error) => void): void {
    if (this.#socket.destroyed) failed(new Error('its control connection has ended'));
    else writeMessage(this.#socket, letter);
  }

  kill(): void {
    killProcess(this.id);
  }

  /** Ends the connection at once, and tells no more of the process. */
  abandon(): void {
    this.#letGo = true;
    this.#socket.destroy();
  }

  /** Leaves the process as it is. Settles when all that was said is on its way. */
  async letGo(): Promise<void> {
    this.#letGo = true;
    this.#child?.unref();
    const socket = this.#socket;
    if (socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), FLUSH_MS);
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      // Waiting for what it may still have to say would take until it closes its side: it does on our end.
      socket.end();
    });
    clearTimeout(timer);
  }
}
