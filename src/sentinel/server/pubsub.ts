/** Who is subscribed to what. Pure: no sockets; a subscriber is whatever the caller delivers to. */
import { globMatches } from '../../redis/acl/glob.js';

/** One client's subscriptions. */
export interface Subscriber {
  readonly channels: Set<string>;
  readonly patterns: Set<string>;
  /** @param pattern null for a SUBSCRIBE to the channel itself */
  deliver(channel: string, message: string, pattern: string | null): void;
}

export type SubscriptionKind = 'channels' | 'patterns';

export class PubSub<S extends Subscriber> {
  readonly #subscribers: Readonly<Record<SubscriptionKind, Map<string, Set<S>>>> = {
    channels: new Map(),
    patterns: new Map(),
  };

  /** Different channels, or patterns, that somebody is subscribed to. */
  count(kind: SubscriptionKind): number {
    return this.#subscribers[kind].size;
  }

  subscribe(who: S, kind: SubscriptionKind, name: string): void {
    who[kind].add(name);
    const all = this.#subscribers[kind];
    const here = all.get(name) ?? new Set<S>();
    here.add(who);
    all.set(name, here);
  }

  unsubscribe(who: S, kind: SubscriptionKind, name: string): void {
    who[kind].delete(name);
    const all = this.#subscribers[kind];
    const here = all.get(name);
    here?.delete(who);
    if (here?.size === 0) all.delete(name);
  }

  /** Ends all subscriptions of a client. */
  forget(who: S): void {
    for (const kind of ['channels', 'patterns'] as const) {
      for (const name of [...who[kind]]) this.unsubscribe(who, kind, name);
    }
  }

  /** @returns how many deliveries were made; a client with a channel and a matching pattern counts twice, as in Redis */
  publish(channel: string, message: string): number {
    let delivered = 0;
    for (const who of [...(this.#subscribers.channels.get(channel) ?? [])]) {
      who.deliver(channel, message, null);
      delivered += 1;
    }
    for (const [pattern, subscribers] of [...this.#subscribers.patterns]) {
      if (!globMatches(pattern, channel)) continue;
      for (const who of [...subscribers]) {
        who.deliver(channel, message, pattern);
        delivered += 1;
      }
    }
    return delivered;
  }
}
