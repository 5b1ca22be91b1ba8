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

/** What stands behind the key. */
type Field = 'flags' | 'exptime' | 'bytes' | 'number';

/**
 * The words of each command behind the key; `noreply` may follow. A server answers a request that it does not understand
 * in ways that would shift the replies of all clients of its connection, so only what it understands is passed on.
 */
const FIELDS: ReadonlyMap<string, readonly Field[]> = new Map<string, readonly Field[]>([
  ['set', ['flags', 'exptime', 'bytes']],
  ['add', ['flags', 'exptime', 'bytes']],
  ['replace', ['flags', 'exptime', 'bytes']],
  ['append', ['flags', 'exptime', 'bytes']],
  ['prepend', ['flags', 'exptime', 'bytes']],
  ['cas', ['flags', 'exptime', 'bytes', 'number']],
  ['incr', ['number']],
  ['decr', ['number']],
  ['delete', []],
  ['touch', ['exptime']],
]);

function isField(field: Field, text: string): boolean {
  switch (field) {
    case 'flags':
      return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32;
    case 'exptime':
      return /^-?\d{1,10}$/.test(text) && Math.abs(Number(text)) < 2 ** 31;
    case 'bytes':
      return /^\d{1,9}$/.test(text);
    case 'number':
      return /^\d{1,20}$/.test(text) && BigInt(text) < 1n << 64n;
  }
}

/** A server closes a connection on a line much longer than this, unless it is a get. */
const LINE_MAX_BYTES = 1024;
const BAD_LINE = Buffer.from('CLIENT_ERROR bad command line format\r\n');

/** For statistics only: nothing is repeated in a memcached pool. */
const NAMES: readonly string[] = ['other', 'get', 'gets', ...FIELDS.keys()];
const NUMBERS: ReadonlyMap<string, number> = new Map(NAMES.map((name, number) => [name, number]));

export class MemcachedFront implements Front {
  readonly commandNames = NAMES;
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
    const isGet = frame.name === 'get' || frame.name === 'gets';
    const fields = FIELDS.get(frame.name);
    if (!isGet && frame.line_bytes > LINE_MAX_BYTES) return answer(client, BAD_LINE);
    if (!isGet && fields === undefined) return this.#takeKeyless(client, bytes, start);
    if (frame.argc < 2) return answer(client, ERROR);
    for (let i = 1; i < (isGet ? frame.argc : 2); i++) {
      if (frame.wordEnd(i) - frame.wordStart(i) > KEY_MAX_BYTES) {
        return answer(client, Buffer.from('CLIENT_ERROR key is too long\r\n'));
      }
      if (!this.#isKey(bytes, i)) return answer(client, BAD_LINE);
    }
    if (frame.wordStart(0) !== start || (fields !== undefined && !this.#isUnderstood(bytes, fields))) {
      return answer(client, BAD_LINE);
    }
    if (isGet && frame.argc > 2) return this.#takeMultiGet(client, bytes, start);
    return this.#forward(client, this.#shardOf(bytes, 1), bytes, start);
  }

  #number(): number {
    return NUMBERS.get(this.#frame.name) ?? 0;
  }

  #isKey(bytes: Buffer, word: number): boolean {
    for (let i = this.#frame.wordStart(word); i < this.#frame.wordEnd(word); i++) {
      const byte = bytes[i] ?? 0;
      if (byte <= 0x20 || byte === 0x7f) return false;
    }
    return true;
  }

  #isUnderstood(bytes: Buffer, fields: readonly Field[]): boolean {
    const frame = this.#frame;
    const words = fields.length + (frame.silent ? 3 : 2);
    return frame.argc === words && fields.every((field, i) => isField(field, frame.wordText(bytes, i + 2)));
  }

  #shardOf(bytes: Buffer, word: number): Shard {
    return this.#pool.shardOf(bytes, this.#frame.wordStart(word), this.#frame.wordEnd(word));
  }

  #forward(client: Client, shard: Shard, bytes: Buffer, start: number): boolean {
    const link = shard.sharedLink(client);
    if (!link.accepts) {
      this.#pool.mustWait(client, shard);
      return false;
    }
    if (this.#frame.silent) link.sendSilent(bytes, start, this.#frame.end);
    else link.send(client.slot, client.claim(), this.#number(), bytes, start, this.#frame.end);
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
      if (shard.sharedLink(client).accepts) continue;
      this.#pool.mustWait(client, shard);
      return false;
    }
    const who = this.#pool.joins.begin(client.slot, client.claim(), { type: 'memcached-values' }, parts.size);
    let fragment = 0;
    for (const [shard, keys] of parts) {
      const request = Buffer.concat([...keys, LINE_END]);
      shard.sharedLink(client).send(who, fragment++, this.#number(), request, 0, request.length);
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
