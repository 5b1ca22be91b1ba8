/**
 * `GET /events`: the history as it happens, as server-sent events (HTML standard, "Server-sent events"). A reader that
 * comes back with Last-Event-ID gets what it missed, as far as the history reaches. One that does not keep up is dropped:
 * it may come back and ask for what it missed.
 */
import type { ServerResponse } from 'node:http';
import type { AgentControl, HistoryEntry } from '../view.js';
import { ApiError } from './errors.js';

/** Proxies and browsers give up on a silent connection after 30 to 60 s. */
const KEEP_ALIVE_MS = 15_000;
/** Asked of browsers before they come back. */
const RETRY_MS = 2_000;

export interface EventStreamLimits {
  readonly readersMax: number;
  /** What may wait for one reader beyond the kernel's buffers. */
  readonly backlogMax_bytes: number;
  /** How far back a replay goes, in entries. */
  readonly replayMax: number;
}

export const eventStreamLimits: EventStreamLimits = { readersMax: 64, backlogMax_bytes: 256 * 1024, replayMax: 1_000 };

interface Reader {
  readonly response: ServerResponse;
  readonly group: string | null;
}

export class EventStream {
  readonly #control: AgentControl;
  readonly #limits: EventStreamLimits;
  readonly #readers = new Set<Reader>();
  readonly #unsubscribe: () => void;
  readonly #keepAlive: NodeJS.Timeout;
  /** Known from the first reader on: without readers nobody asks. */
  #host = '';
  #dropped = 0;

  constructor(control: AgentControl, limits: EventStreamLimits = eventStreamLimits, keepAlive_ms = KEEP_ALIVE_MS) {
    this.#control = control;
    this.#limits = limits;
    this.#unsubscribe = control.subscribe((entry) => this.#publish(entry));
    this.#keepAlive = setInterval(() => this.#broadcast(': still here\n\n'), keepAlive_ms);
    this.#keepAlive.unref();
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** How many readers were dropped because they did not keep up. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Takes over a response.
   * @param group only this group's events; null: all
   * @param lastId the reader's Last-Event-ID; null: from now on
   * @throws {ApiError} 503 when there are too many readers
   */
  serve(response: ServerResponse, group: string | null, lastId: string | null): void {
    if (this.#readers.size >= this.#limits.readersMax) {
      throw new ApiError(503, `${this.#readers.size} readers are here already`, 'close some, or poll /history');
    }
    if (this.#host === '') this.#host = this.#control.local().host;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx would collect events otherwise.
      'x-accel-buffering': 'no',
    });
    const reader: Reader = { response, group };
    this.#readers.add(reader);
    response.on('close', () => this.#readers.delete(reader));
    response.on('error', () => this.#readers.delete(reader));
    this.#send(reader, `retry: ${RETRY_MS}\n\n`);
    if (lastId !== null) this.#replay(reader, lastId);
  }

  /** Ends every stream. */
  close(): void {
    this.#unsubscribe();
    clearInterval(this.#keepAlive);
    for (const { response } of this.#readers) response.end();
    this.#readers.clear();
  }

  #replay(reader: Reader, lastId: string): void {
    const host = this.#host;
    const kept = this.#control.history(null, this.#limits.replayMax);
    const known = /^(.+)-(\d{1,15})$/.exec(lastId);
    // Another host counts for itself.
    const last = known === null || known[1] !== host ? null : Number(known[2]);
    if (!kept.some(({ id }) => id === last)) {
      this.#send(reader, `event: gap\ndata: ${JSON.stringify({ host, lastId: lastId.slice(0, 100) })}\n\n`);
    }
    if (last === null) return;
    for (const entry of kept) if (entry.id > last) this.#sendEntry(reader, entry);
  }

  #publish(entry: HistoryEntry): void {
    for (const reader of this.#readers) this.#sendEntry(reader, entry);
  }

  #sendEntry(reader: Reader, entry: HistoryEntry): void {
    if (reader.group !== null && entry.group !== '' && entry.group !== reader.group) return;
    this.#send(reader, `id: ${this.#host}-${entry.id}\nevent: ${entry.what}\ndata: ${JSON.stringify(entry)}\n\n`);
  }

  #broadcast(text: string): void {
    for (const reader of this.#readers) this.#send(reader, text);
  }

  #send(reader: Reader, text: string): void {
    if (!this.#readers.has(reader)) return;
    if (reader.response.writableLength + text.length <= this.#limits.backlogMax_bytes) {
      reader.response.write(text);
      return;
    }
    this.#dropped += 1;
    this.#readers.delete(reader);
    reader.response.destroy();
  }
}
