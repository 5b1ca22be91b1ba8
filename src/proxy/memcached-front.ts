/** The memcached protocol (ASCII) towards clients. */

import { NO_BYTES } from './forward/bytes.js';
import { type Client, WINDOW_REQUESTS } from './forward/client.js';
import type { Pool } from './forward/pool.js';
import type { Front, ReplyScanner } from './forward/protocol.js';
import type { Shard } from './forward/shard.js';
import { MemcachedReplyScanner } from './framing/memcached-reply.js';
import { KEY_MAX_BYTES, MemcachedRequestFrame } from './framing/memcached-request.js';
import { COMPLETE, INCOMPLETE } from './framing/redis-request.js';

const ERROR = Buffer.from('ERROR\r\n');

/** Words that each command has at least, its name included. */
const WORDS: ReadonlyMap<string, number> = new Map([
  ['get', 2],
  ['gets', 2],
  ['set', 5],
  ['add', 5],
  ['replace', 5],
  ['append', 5],
  ['prepend', 5],
  ['cas', 6],
  ['incr', 3],
  ['decr', 3],
  ['delete', 2],
  ['touch', 3],
]);

/** Requests carry no command number: nothing is repeated in a memcached pool. */
const NO_COMMAND = 0;

export class MemcachedFront implements Front {
  readonly #pool: Pool;
  readonly #frame = new MemcachedRequestFrame();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  run(client: Client, bytes: Buffer, start: number, end: number): number {
    const frame = this.#frame;
    let at = start;
    while (at < end && client.halted === null) {
      const state = frame.parse(bytes, at, end);
      if (state === INCOMPLETE) {
        client.needs(frame.need_bytes);
        return at;
      }
      if (state !== COMPLETE) {
        // Where its data ends is not known, so nothing behind it can be understood.
        client.answer(Buffer.from(`CLIENT_ERROR ${frame.problem}\r\n`));
        client.halt('closing');
        return end;
      }
      if (!this.#take(client, bytes, at)) return at;
      at = frame.end;
      if (client.inFlight >= WINDOW_REQUESTS) client.halt('window');
    }
    return at;
  }

  /** @returns false when the client was halted and the request must be taken again. */
  #take(client: Client, bytes: Buffer, start: number): boolean {
    const frame = this.#frame;
    const words = WORDS.get(frame.name);
    if (words === undefined) return this.#takeKeyless(client, bytes, start);
    if (frame.argc < words) return answer(client, ERROR);
    const isGet = frame.name === 'get' || frame.name === 'gets';
    for (let i = 1; i < (isGet ? frame.argc : 2); i++) {
      if (frame.wordEnd(i) - frame.wordStart(i) > KEY_MAX_BYTES) {
        return answer(client, Buffer.from('CLIENT_ERROR key is too long\r\n'));
      }
    }
    if (isGet && frame.argc > 2) return this.#takeMultiGet(client, bytes, start);
    return this.#forward(client, this.#shardOf(bytes, 1), bytes, start);
  }

  #shardOf(bytes: Buffer, word: number): Shard {
    return this.#pool.shardOf(bytes, this.#frame.wordStart(word), this.#frame.wordEnd(word));
  }

  #forward(client: Client, shard: Shard, bytes: Buffer, start: number): boolean {
    const link = shard.linkFor(client);
    if (!link.accepts) {
      this.#pool.mustWait(client, shard);
      return false;
    }
    if (this.#frame.silent) link.sendSilent(bytes, start, this.#frame.end);
    else link.send(client.slot, client.claim(), NO_COMMAND, bytes, start, this.#frame.end);
    return true;
  }

  #takeKeyless(client: Client, bytes: Buffer, start: number): boolean {
    const { name, argc } = this.#frame;
    const [first] = this.#pool.shards;
    switch (name) {
      case 'quit':
        client.halt('closing');
        client.answer(NO_BYTES);
        return true;
      case 'version':
        return first === undefined || this.#forward(client, first, bytes, start);
      default:
        return answer(
          client,
          argc === 0 ? ERROR : Buffer.from(`CLIENT_ERROR '${name}' is not served by this proxy\r\n`),
        );
    }
  }

  #takeMultiGet(client: Client, bytes: Buffer, start: number): boolean {
    const frame = this.#frame;
    const parts = new Map<Shard, Buffer[]>();
    for (let i = 1; i < frame.argc; i++) {
      const shard = this.#shardOf(bytes, i);
      const keys = parts.get(shard) ?? [Buffer.from(frame.name)];
      keys.push(SPACE_BYTE, bytes.subarray(frame.wordStart(i), frame.wordEnd(i)));
      parts.set(shard, keys);
    }
    const [only] = parts.keys();
    if (parts.size === 1 && only !== undefined) return this.#forward(client, only, bytes, start);
    for (const shard of parts.keys()) {
      if (shard.linkFor(client).accepts) continue;
      this.#pool.mustWait(client, shard);
      return false;
    }
    const who = this.#pool.joins.begin(client.slot, client.claim(), { type: 'memcached-values' }, parts.size);
    let fragment = 0;
    for (const [shard, keys] of parts) {
      const request = Buffer.concat([...keys, LINE_END]);
      shard.linkFor(client).send(who, fragment++, NO_COMMAND, request, 0, request.length);
    }
    return true;
  }

  newReplyScanner(): ReplyScanner {
    return new MemcachedReplyScanner();
  }

  greeting(): Buffer[] {
    return [];
  }

  greetingRefusal(): string | null {
    return null;
  }

  error(message: string): Buffer {
    return Buffer.from(`SERVER_ERROR ${message.replace(/^ERR /, '').replace(/[\r\n]+/g, ' ')}\r\n`);
  }
}

const SPACE_BYTE = Buffer.from(' ');
const LINE_END = Buffer.from('\r\n');

function answer(client: Client, reply: Buffer): true {
  client.answer(reply);
  return true;
}
