/**
 * The proxy's end of what an agent says to it: a Unix socket, where one agent speaks at a time. While none does, lines for
 * the log are kept, as many as have room, and given to the next one.
 */
import { chmodSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Answer, Identity, Letter, LogLine, Order, Result, Said } from '../workers/messages.js';
import { READY } from '../workers/messages.js';
import { answerTo } from '../workers/orders.js';
import { onMessages, writeMessage } from './json-lines.js';

/** Lines that wait for an agent. */
const LINES_MAX = 500;
/** An agent that reads no more is not told everything. */
const UNREAD_MAX_BYTES = 1024 * 1024;

export interface ControlEvents {
  readonly identity: () => Identity;
  /** @throws {Error} (rejects) with the reason why it was not carried out */
  readonly ordered: (order: Order) => Promise<Result>;
  /** The last agent has gone. */
  readonly left: () => void;
  /** The order to stop has been carried out and answered. */
  readonly stopped: () => void;
}

export class ControlSocket {
  readonly #path: string;
  readonly #events: ControlEvents;
  readonly #server: Server;
  #agent: Socket | null = null;
  #lines: LogLine[] = [];
  #dropped = 0;

  constructor(path: string, events: ControlEvents) {
    this.#path = path;
    this.#events = events;
    this.#server = createServer((socket) => this.#take(socket));
  }

  /** @throws {Error} (rejects) when it cannot listen there */
  async listen(): Promise<void> {
    rmSync(this.#path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#path, resolve);
    });
    chmodSync(this.#path, 0o600);
  }

  /** Whether an agent can find this process: somebody may have removed its socket. */
  get isThere(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.isSocket() === true;
  }

  /** No agent finds this process any more; the one that is there may still speak. */
  leave(): void {
    this.#server.close();
    rmSync(this.#path, { force: true });
  }

  say(message: Said): void {
    const agent = this.#agent;
    if ('line' in message) this.#sayLine(message);
    else if (agent !== null && agent.writableLength < UNREAD_MAX_BYTES) writeMessage(agent, message);
  }

  #sayLine(message: LogLine): void {
    const agent = this.#agent;
    if (agent !== null && agent.writableLength < UNREAD_MAX_BYTES) {
      writeMessage(agent, message);
      return;
    }
    this.#lines.push({ level: message.level, line: `${new Date().toISOString()} ${message.line}` });
    if (this.#lines.length <= LINES_MAX) return;
    this.#lines.shift();
    this.#dropped++;
  }

  #sayKept(agent: Socket): void {
    const lines = this.#lines;
    if (this.#dropped > 0)
      writeMessage(agent, { level: 4, line: `${this.#dropped} lines were dropped, no agent was here` });
    this.#lines = [];
    this.#dropped = 0;
    for (const line of lines) writeMessage(agent, line);
  }

  /** Whoever comes last is the agent: one that has died may not have been missed yet. */
  #take(socket: Socket): void {
    this.#agent?.destroy();
    this.#agent = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#agent !== socket) return;
      this.#agent = null;
      this.#events.left();
    });
    onMessages(socket, (message) => this.#heard(socket, message as Letter));
    const ready: Answer = { id: READY, error: null, result: { identity: this.#events.identity() } };
    writeMessage(socket, ready);
    this.#sayKept(socket);
  }

  #heard(socket: Socket, { id, order }: Letter): void {
    const after = (): void => {
      if (order.kind === 'stop') this.#events.stopped();
    };
    void answerTo(id, this.#events.ordered(order)).then((answer) => {
      if (socket.destroyed) after();
      else writeMessage(socket, answer, after);
    });
  }
}
