/** The plain client as a process on the lab's client host; see client.mjs. */
import { fileURLToPath } from 'node:url';
import type { Child } from '../../support/child.js';
import { until } from '../../support/until.js';
import type { Host } from '../host.js';
import type { Gap } from './books.mjs';
import type { Door } from './system.js';

const CLIENT = fileURLToPath(new URL('./client.mjs', import.meta.url));
/** A look-up of a minute's writes through a slow door, and the time that the door is given to open again. */
const BOOKS_MS = 45_000;

export interface ClientOptions {
  /** Between two writes. */
  readonly period_ms?: number;
  /** For the reply to a write; then the connection is given up. */
  readonly deadline_ms?: number;
  /** For a connection to be made. */
  readonly connectDeadline_ms?: number;
  /** For looking up every acknowledged write at the end. */
  readonly lookUp_ms?: number;
}

/** What the client saw. Times are CLOCK_MONOTONIC in ms, those of {@link monotonicNow}. */
export interface ClientBooks {
  readonly endedAt: number;
  readonly acknowledged: number;
  readonly gaps: readonly Gap[];
  /** Error replies, by their first word. */
  readonly errors: Readonly<Record<string, number>>;
  readonly late: number;
  readonly connectionsLost: number;
  readonly refused: number;
  readonly lost: number;
  /** When the first and the last of the lost writes were acknowledged. */
  readonly lostAt: Gap | null;
  /** Acknowledged writes that could not be looked up. */
  readonly unread: number;
}

/** The clock that the client, the watcher and the lab share, in ms. */
export function monotonicNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

let clients = 0;

export class PlainClient {
  readonly door: Door;
  readonly #child: Child;

  constructor(host: Pick<Host, 'start'>, door: Door, options: ClientOptions = {}) {
    this.door = door;
    // Keys of an earlier client must not pass for those of this one.
    const prefix = `${door.kind}${++clients}`;
    this.#child = host.start(process.execPath, [CLIENT, JSON.stringify({ ...options, door, prefix })]);
  }

  /** How many writes were acknowledged, at most 100 ms ago. */
  get acknowledged(): number {
    const { output } = this.#child;
    const at = output.lastIndexOf('acknowledged ');
    return at === -1 ? 0 : Number.parseInt(output.slice(at + 'acknowledged '.length), 10);
  }

  /** Stops writing, looks up every acknowledged write, and ends. */
  async end(): Promise<ClientBooks> {
    this.#child.kill('SIGTERM');
    const [, text = ''] = await this.#child.untilOutput(/^books (.*)$/m, { deadline_ms: BOOKS_MS });
    await this.#child.exited;
    return JSON.parse(text) as ClientBooks;
  }
}

/** Waits until every client has had writes accepted, without a longer pause, for so long. */
export async function untilFlowing(
  clients: readonly PlainClient[],
  { for_ms = 1_000, deadline_ms = 30_000 } = {},
): Promise<void> {
  // Every second client report may still be that of the look before.
  const interval_ms = 250;
  let counts = clients.map((client) => client.acknowledged);
  let since = monotonicNow();
  const look = (): boolean => {
    const now = clients.map((client) => client.acknowledged);
    if (now.some((count, i) => count <= (counts[i] ?? 0))) since = monotonicNow();
    counts = now;
    return monotonicNow() - since >= for_ms;
  };
  await until(look, { what: `writes to flow for ${for_ms} ms`, deadline_ms, interval_ms });
}
