/**
 * A client that has subscribed: it has a connection of its own to the pool's first shard, and whatever comes on that is
 * the client's. When the shard's master changes, its subscriptions are made again on the next one.
 */
import type { Client } from './forward/client.js';
import type { ServerLink } from './forward/server-link.js';
import type { Shard } from './forward/shard.js';
import type { LinkTap, Subscription } from './forward/subscription.js';
import { encodeRequest } from './redis-encode.js';
import { errorReply, tooManyConnections } from './redis-errors.js';
import { type Request, type RequestPath, refuse, requestOf } from './redis-taken.js';

/** How often a lost connection is tried again. */
const RETRY_MS = 50;
/** Channels and patterns of one client. */
const TOPICS_MAX = 100_000;

/** A message of a client that may be sent replies as well. */
const MESSAGE_MAX_BYTES = 64 * 1024 * 1024;

const VERBS = ['subscribe', 'unsubscribe', 'psubscribe', 'punsubscribe'];

export class RedisSubscriber implements Subscription, LinkTap {
  readonly #client: Client;
  readonly #shard: Shard;
  #link: ServerLink;
  readonly #channels = new Set<string>();
  readonly #patterns = new Set<string>();
  /** Confirmations of subscriptions that the client has been told of before. */
  #unheard = 0;
  #first = '';
  #last = '';
  /** Of a message that is not whole yet. */
  readonly #parts: Buffer[] = [];
  #parts_bytes = 0;

  constructor(client: Client, shard: Shard, link: ServerLink) {
    this.#client = client;
    this.#shard = shard;
    this.#link = link;
    link.tap = this;
    client.subscription = this;
    client.becomePlain();
  }

  /** Under RESP3, a subscribed client may send anything: only what concerns its subscriptions comes here. */
  takes({ client, name }: Request): boolean {
    if (VERBS.includes(name)) return client.transaction?.open !== true;
    return !client.resp3 && name !== 'quit';
  }

  /** Takes a request of the client while it is subscribed. Always true: nothing has to wait. */
  take(request: Request): boolean {
    const { client, name, frame } = request;
    if (name === 'ping' && frame.argc <= 2) return this.#forward(request);
    if (!VERBS.includes(name)) {
      return refuse(
        client,
        errorReply(
          `ERR Can't execute '${name}': only (P)SUBSCRIBE / (P)UNSUBSCRIBE / PING / QUIT are allowed in this context`,
        ),
      );
    }
    const topics = name.startsWith('p') ? this.#patterns : this.#channels;
    const isLeaving = name.endsWith('unsubscribe');
    if (isLeaving && frame.argc === 1) topics.clear();
    for (let i = 1; i < frame.argc; i++) {
      const topic = request.bytes.toString('latin1', frame.argStart(i), frame.argEnd(i));
      if (isLeaving) topics.delete(topic);
      else topics.add(topic);
    }
    if (this.#channels.size + this.#patterns.size > TOPICS_MAX) client.socket.destroy();
    return this.#forward(request);
  }

  #forward(request: Request): boolean {
    const bytes = requestOf(request);
    this.#link.sendSilent(bytes, 0, bytes.length);
    return true;
  }

  /** Everything that its connection brings goes to the client as it is. */
  tapped(bytes: Buffer, start: number, end: number, last: boolean): void {
    if (this.#unheard > 0) {
      if (last) this.#unheard--;
      return;
    }
    if (!this.#client.resp3) this.#client.push(bytes, start, end);
    else this.#pushWhole(bytes, start, end, last);
    if (this.#first.length < 32) this.#first += bytes.toString('latin1', start, Math.min(end, start + 32));
    this.#last = (this.#last + bytes.toString('latin1', Math.max(start, end - 4), end)).slice(-4);
    if (!last) return;
    const isOver = /^[*>]3\r\n\$1[12]\r\np?unsubscribe\r\n/.test(this.#first) && this.#last === ':0\r\n';
    this.#first = '';
    this.#last = '';
    if (isOver && this.#channels.size + this.#patterns.size === 0) this.end();
  }

  /** Replies may come beside it: a message goes out in one piece. */
  #pushWhole(bytes: Buffer, start: number, end: number, last: boolean): void {
    if (last && this.#parts.length === 0) {
      this.#client.push(bytes, start, end);
      return;
    }
    this.#parts.push(Buffer.from(bytes.subarray(start, end)));
    this.#parts_bytes += end - start;
    if (this.#parts_bytes > MESSAGE_MAX_BYTES) this.#client.socket.destroy();
    if (!last && this.#parts_bytes <= MESSAGE_MAX_BYTES) return;
    const whole = Buffer.concat(this.#parts.splice(0));
    this.#parts_bytes = 0;
    this.#client.push(whole, 0, whole.length);
  }

  /** The last subscription has ended: the client may do anything again. */
  end(): void {
    this.#link.tap = null;
    this.#client.endSubscription();
    this.#shard.returnLink(this.#link);
  }

  /** The connection is gone. A server with a fixed address takes the client with it, as without a proxy. */
  lost(link: ServerLink): void {
    if (link !== this.#link) return;
    this.#parts.length = 0;
    this.#parts_bytes = 0;
    if (!this.#shard.follows) this.#client.socket.destroy();
    else setTimeout(() => this.#again(), RETRY_MS);
  }

  #again(): void {
    if (this.#client.gone || this.#client.subscription !== this) return;
    if (!this.#shard.open) {
      setTimeout(() => this.#again(), RETRY_MS);
      return;
    }
    const link = this.#shard.borrow(this.#client);
    if (link === null) {
      this.#client.socket.destroy();
      return;
    }
    this.#link = link;
    link.tap = this;
    this.#unheard = this.#channels.size + this.#patterns.size;
    this.#first = '';
    this.#last = '';
    for (const [verb, topics] of [
      ['SUBSCRIBE', this.#channels],
      ['PSUBSCRIBE', this.#patterns],
    ] as const) {
      if (topics.size === 0) continue;
      const request = encodeRequest([verb, ...[...topics].map((topic) => Buffer.from(topic, 'latin1'))]);
      link.sendSilent(request, 0, request.length);
    }
  }
}

/** The first SUBSCRIBE or PSUBSCRIBE of a client. @returns false when it must be taken again. */
export function subscribe(path: RequestPath, shard: Shard, request: Request): boolean {
  const { client, name, frame } = request;
  if (frame.argc < 2) return refuse(client, errorReply(`ERR wrong number of arguments for '${name}' command`));
  if (client.transaction !== null) return refuse(client, errorReply(`ERR '${name}' is not served with watched keys`));
  if (!path.alone(client)) return false;
  // Not the connection that the client's other requests may need.
  if (!shard.open) {
    const refusal = path.ownLinkOrWait(client, shard);
    return refusal === 'wait' ? false : refuse(client, errorReply(shard.waitError));
  }
  const link = shard.borrow(client);
  if (link === null) return refuse(client, errorReply(tooManyConnections(shard.config.label)));
  return new RedisSubscriber(client, shard, link).take(request);
}
