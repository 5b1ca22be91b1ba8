/** Which reply answers which request, and which is a message. Pure: no sockets. */
import { assert } from '../base/assert.js';
import type { RespVersion } from './encoder.js';
import { PushReply, type Reply } from './reply.js';

/** What a value that came in is. */
export type Incoming<Tag> =
  | { readonly kind: 'reply'; readonly tag: Tag; readonly reply: Reply }
  /** `pattern` is null unless a PSUBSCRIBE brought it. */
  | { readonly kind: 'message'; readonly channel: string; readonly message: string; readonly pattern: string | null }
  /** Any other push: an invalidation, or a subscription that the server ended by itself. */
  | { readonly kind: 'push'; readonly items: readonly Reply[] }
  /** One of several acknowledgements of a request that is not yet done. */
  | { readonly kind: 'partial' }
  /** Nobody asked for it. */
  | { readonly kind: 'unasked'; readonly reply: Reply };

interface Waiting<Tag> {
  readonly tag: Tag;
  /** The verb of a (un)subscription in lower case; empty for every other command. */
  readonly verb: string;
  /** Acknowledgements still to come of a (un)subscription: one for each channel. */
  acks: number;
}

const SUBSCRIPTION_VERBS: ReadonlySet<string> = new Set([
  'subscribe',
  'psubscribe',
  'ssubscribe',
  'unsubscribe',
  'punsubscribe',
  'sunsubscribe',
]);
const SHORTEST_VERB = 9;

/**
 * The requests of one connection that are not yet answered, in their order. A (un)subscription is answered once, by its
 * last acknowledgement. Under RESP2 a message looks like a reply: an array is taken for one only while a subscription
 * lasts, when the server answers nothing else with arrays of this form. Under RESP3 only pushes are messages.
 */
export class Pairing<Tag> {
  #waiting: Waiting<Tag>[] = [];
  /** Where the oldest is; what lies before it has been answered. */
  #head = 0;
  /** As the server counts them: channels and patterns together, shard channels apart. */
  #channels = 0;
  #shardChannels = 0;

  /** Requests not yet answered. */
  get size(): number {
    return this.#waiting.length - this.#head;
  }

  /** Notes a request that is sent now. An UNSUBSCRIBE must name its channels. */
  sent(args: readonly (string | Uint8Array)[], tag: Tag): void {
    const verb = subscriptionVerb(args[0]);
    assert(!verb.includes('unsub') || args.length > 1, 'an UNSUBSCRIBE names its channels');
    this.#waiting.push({ tag, verb, acks: verb === '' ? 0 : Math.max(1, args.length - 1) });
  }

  /** Takes the next value that came in, on a connection that speaks `protocol`. */
  received(value: Reply, protocol: RespVersion): Incoming<Tag> {
    const items = value instanceof PushReply ? value.items : this.#asPubSub(value, protocol);
    const [word, first, second, third] = items ?? [];
    switch (word) {
      case 'message':
      case 'smessage':
        return { kind: 'message', channel: String(first), message: String(second), pattern: null };
      case 'pmessage':
        return { kind: 'message', channel: String(second), message: String(third), pattern: String(first) };
      default:
        if (items !== null && typeof word === 'string' && SUBSCRIPTION_VERBS.has(word)) return this.#ack(word, items);
        if (value instanceof PushReply) return { kind: 'push', items: value.items };
        return this.#answer(value);
    }
  }

  /** The elements of an array that may be a message or an acknowledgement. */
  #asPubSub(value: Reply, protocol: RespVersion): readonly Reply[] | null {
    if (protocol === 3) return null;
    const expected = this.#channels + this.#shardChannels > 0 || (this.#waiting[this.#head]?.acks ?? 0) > 0;
    return expected && Array.isArray(value) ? value : null;
  }

  #ack(verb: string, items: readonly Reply[]): Incoming<Tag> {
    const count = typeof items[2] === 'number' ? items[2] : 0;
    if (verb.startsWith('ss') || verb.startsWith('sun')) this.#shardChannels = count;
    else this.#channels = count;
    const oldest = this.#waiting[this.#head];
    if (oldest === undefined || oldest.verb !== verb) return { kind: 'push', items };
    oldest.acks -= 1;
    return oldest.acks > 0 ? { kind: 'partial' } : this.#answer(items);
  }

  #answer(reply: Reply): Incoming<Tag> {
    const oldest = this.#waiting[this.#head];
    if (oldest === undefined) return { kind: 'unasked', reply };
    this.#head += 1;
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    } else if (this.#head >= 64 && this.#head * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return { kind: 'reply', tag: oldest.tag, reply };
  }
}

function subscriptionVerb(arg: string | Uint8Array | undefined): string {
  if (arg === undefined || arg.length < SHORTEST_VERB) return '';
  const verb = (typeof arg === 'string' ? arg : Buffer.from(arg).toString()).toLowerCase();
  return SUBSCRIPTION_VERBS.has(verb) ? verb : '';
}
