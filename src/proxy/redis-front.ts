/**
 * The Redis protocol towards clients: takes requests off a client's bytes and brings each to its server. The usual
 * request, one key, goes straight from the read buffer to the server's output; everything else is `redis-slow-path.ts`.
 */
import { COMMANDS, UNKNOWN_COMMAND } from './commands/table.js';
import { type Client, WINDOW_REQUESTS } from './forward/client.js';
import { dbOf, isResp3 } from './forward/lane.js';
import type { Pool } from './forward/pool.js';
import type { Front, ReplyScanner } from './forward/protocol.js';
import type { ServerLink } from './forward/server-link.js';
import type { Shard } from './forward/shard.js';
import { Upload } from './forward/upload.js';
import { RedisReplyScanner } from './framing/redis-reply.js';
import { COMPLETE, INCOMPLETE, RedisRequestFrame } from './framing/redis-request.js';
import { encodeRequest } from './redis-encode.js';
import { errorReply, tooManyConnections } from './redis-errors.js';
import { RedisSlowPath } from './redis-slow-path.js';

/** A request with one key that is longer than this is passed on as it comes, over a connection of its own. */
const LARGE_BYTES = 256 * 1024;
/** What ROLE says. */
const IS_MASTER = /^\*\d+\r\n\$6\r\nmaster\r\n/;
const IS_REPLICA = /^\*5\r\n\$5\r\nslave\r\n\$\d+\r\n[^\r]*\r\n:\d+\r\n\$9\r\nconnected\r\n/;
const HELLO_3 = encodeRequest(['HELLO', '3']);
/** A request that must be taken apart is kept up to this length. */
const KEPT_MAX_BYTES = 64 * 1024 * 1024;

export class RedisFront implements Front {
  readonly commandNames = COMMANDS.names;
  readonly #pool: Pool;
  readonly #frame = new RedisRequestFrame();
  readonly #slow: RedisSlowPath;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#slow = new RedisSlowPath(pool);
  }

  run(client: Client, bytes: Buffer, start: number, end: number): number {
    const frame = this.#frame;
    let at = start;
    while (at < end && client.halted === null) {
      const state = frame.parse(bytes, at, end);
      if (state !== COMPLETE) {
        if (state === INCOMPLETE) return this.#wait(client, bytes, at, end);
        client.answer(errorReply(`ERR Protocol error: ${frame.problem}`));
        client.halt('closing');
        return end;
      }
      const id = frame.argc > 0 ? COMMANDS.find(bytes, frame.argStart(0), frame.argEnd(0)) : UNKNOWN_COMMAND;
      if (!(client.plain && frame.argc > 1 && !frame.inline && this.#forward(client, bytes, at, id))) {
        if (!this.#slow.take(client, bytes, at, frame, id)) return at;
      }
      at = frame.end;
      if (client.inFlight >= WINDOW_REQUESTS) client.halt('window');
    }
    return at;
  }

  /** The fast path. @returns false when the request needs more than that. */
  #forward(client: Client, bytes: Buffer, start: number, id: number): boolean {
    if (COMMANDS.oneKey[id] !== 1) return false;
    const frame = this.#frame;
    const link = this.#pool.shardOf(bytes, frame.argStart(1), frame.argEnd(1)).linkFor(client, id);
    if (link === null || !link.accepts) return false;
    link.send(client.slot, client.claim(), id, bytes, start, frame.end);
    return true;
  }

  /** The request is not whole yet. */
  #wait(client: Client, bytes: Buffer, start: number, end: number): number {
    const frame = this.#frame;
    client.needs(frame.need_bytes);
    const length = Math.max(frame.need_bytes, end - start);
    if (length <= LARGE_BYTES || frame.inline) return start;
    return this.#takeLarge(client, bytes, start, end, length);
  }

  #takeLarge(client: Client, bytes: Buffer, start: number, end: number, length: number): number {
    const frame = this.#frame;
    const id = frame.argc > 0 ? COMMANDS.find(bytes, frame.argStart(0), frame.argEnd(0)) : UNKNOWN_COMMAND;
    const streams = frame.argc > 1 && COMMANDS.oneKey[id] === 1 && client.plain;
    if (!streams) {
      if (length <= KEPT_MAX_BYTES) return start;
      return this.#throwAway(
        client,
        bytes,
        start,
        end,
        `ERR a request of more than ${KEPT_MAX_BYTES} bytes can only be passed on when it has one key, and its name and key come first`,
      );
    }
    if (client.inFlight > 0) {
      client.halt('alone');
      return start;
    }
    const shard = this.#pool.shardOf(bytes, frame.argStart(1), frame.argEnd(1));
    if (!shard.open) {
      if (this.#pool.mustWait(client, shard)) return start;
      return this.#throwAway(client, bytes, start, end, shard.waitError);
    }
    const link = client.borrowLink(shard);
    if (link === null) return this.#throwAway(client, bytes, start, end, tooManyConnections(shard.config.label));
    link.begin(client.slot, client.claim(), id);
    link.inParts = true;
    client.upload = new Upload(link, null);
    return client.upload.feed(client, bytes, start, end);
  }

  #throwAway(client: Client, bytes: Buffer, start: number, end: number, why: string): number {
    client.upload = new Upload(null, errorReply(why));
    return client.upload.feed(client, bytes, start, end);
  }

  newReplyScanner(): ReplyScanner {
    return new RedisReplyScanner();
  }

  greeting(lane: number, shard: Shard): Buffer[] {
    const db = dbOf(lane);
    const { login } = shard.config;
    const greeting: Buffer[] = [];
    if (login !== null) {
      greeting.push(encodeRequest(['AUTH', ...(login.user === '' ? [] : [login.user]), login.password]));
    }
    if (isResp3(lane)) greeting.push(HELLO_3);
    if (db !== 0) greeting.push(encodeRequest(['SELECT', String(db)]));
    if (shard.follows) greeting.push(encodeRequest(['ROLE']));
    return greeting;
  }

  greetingRefusal(reply: string, { shard, replica }: ServerLink): string | null {
    if (reply.startsWith('-')) return reply.slice(1).trimEnd();
    if (reply.startsWith('+') || reply.startsWith('%') || !shard.follows) return null;
    if (replica !== null) return IS_REPLICA.test(reply) ? null : 'it is no replica that has what its master has';
    return IS_MASTER.test(reply) ? null : `${shard.addressText} is no master`;
  }

  error(message: string): Buffer {
    return errorReply(message);
  }
}
