/** One request of a client that became several for the servers, and whose replies become one again. */
import { MINUS } from '../framing/codes.js';
import { type JoinKind, joinReplies } from './join-replies.js';
import type { Pool } from './pool.js';

/** Bytes that the replies to one split request may have together. */
const JOINED_MAX_BYTES = 512 * 1024 * 1024;

interface Fragment {
  readonly parts: Buffer[];
}

interface Join {
  readonly client: number;
  readonly seq: number;
  readonly kind: JoinKind;
  readonly fragments: readonly Fragment[];
  left: number;
  size_bytes: number;
  tooLarge: boolean;
}

/** Numbers of joins stand where a client's slot would: from here downwards. */
const FIRST_JOIN = -2;

export class Joins {
  readonly #pool: Pool;
  readonly #joins = new Map<number, Join>();
  #nextNumber = 0;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  get size(): number {
    return this.#joins.size;
  }

  /** @returns what to give as `who` with each fragment; the fragment's number, from 0, is its `seq`. */
  begin(client: number, seq: number, kind: JoinKind, fragments: number): number {
    this.#nextNumber = (this.#nextNumber + 1) % 1_000_000_000;
    const who = FIRST_JOIN - this.#nextNumber;
    const list = Array.from({ length: fragments }, () => ({ parts: [] }));
    this.#joins.set(who, { client, seq, kind, fragments: list, left: fragments, size_bytes: 0, tooLarge: false });
    this.#pool.stats.fragments += fragments;
    return who;
  }

  /** The client that waits for this join. */
  clientOf(who: number): number | undefined {
    return this.#joins.get(who)?.client;
  }

  takeReply(who: number, fragment: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const join = this.#joins.get(who);
    if (join === undefined) return;
    join.size_bytes += end - start;
    if (join.size_bytes > JOINED_MAX_BYTES) join.tooLarge = true;
    const parts = join.fragments[fragment]?.parts;
    if (join.tooLarge) for (const each of join.fragments) each.parts.length = 0;
    else parts?.push(Buffer.from(bytes.subarray(start, end)));
    if (!last) return;
    join.left--;
    if (join.left > 0) return;
    this.#joins.delete(who);
    const reply = this.#reply(join);
    this.#pool.clients[join.client]?.takeReply(join.seq, reply, 0, reply.length, true);
  }

  /** A fragment got no reply, or not all of it. */
  fail(who: number, fragment: number, message: string): void {
    const parts = this.#joins.get(who)?.fragments[fragment]?.parts;
    if (parts !== undefined) parts.length = 0;
    const error = this.#pool.front.error(message);
    this.takeReply(who, fragment, error, 0, error.length, true);
  }

  #reply(join: Join): Buffer {
    if (join.tooLarge) return this.#pool.front.error('ERR the joined reply would be larger than 512 MiB');
    const replies = join.fragments.map(({ parts }) => (parts.length === 1 ? parts[0] : Buffer.concat(parts)));
    const whole = replies.filter((reply) => reply !== undefined);
    const error = whole.find((reply) => reply[0] === MINUS);
    if (error !== undefined && join.kind.type !== 'memcached-values') return error;
    return joinReplies(join.kind, whole);
  }
}
