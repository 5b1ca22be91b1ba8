/** What a connection and a client know of a subscription. */

/** Takes everything that a connection brings, instead of its pending requests. */
export interface LinkTap {
  /** Bytes [start, end) of one reply; `last` when it is whole with them. */
  tapped(bytes: Buffer, start: number, end: number, last: boolean): void;
}

export interface Subscription {
  /** Its connection has ended. */
  lost(): void;
}
