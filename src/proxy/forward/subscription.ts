/** What a connection and a client know of a subscription. */
import type { ServerLink } from './server-link.js';

/** Takes everything that a connection brings, instead of its pending requests. */
export interface LinkTap {
  /** Bytes [start, end) of one reply; `last` when it is whole with them. */
  tapped(bytes: Buffer, start: number, end: number, last: boolean): void;
}

export interface Subscription {
  /** A connection of its client has ended, which may be its own. */
  lost(link: ServerLink): void;
  /** It is over; its connection is given back. */
  end(): void;
}
