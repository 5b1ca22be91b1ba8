/** What a pool needs from a protocol. */
import type { Client } from './client.js';
import type { ServerLink } from './server-link.js';
import type { Shard } from './shard.js';

/** Finds the ends of a server's replies in its stream, at whatever byte that is cut. */
export interface ReplyScanner {
  /** After a scan: a reply ended where it stopped. */
  readonly complete: boolean;
  /** The stream cannot be understood. */
  readonly broken: boolean;
  reset(): void;
  /** Passes over bytes from `start` to the end of the current reply or to `end`; returns where it stopped. */
  scan(bytes: Uint8Array, start: number, end: number): number;
}

export interface Front {
  /** Names by the number that requests are sent with. */
  readonly commandNames: readonly string[];
  /**
   * Takes requests from bytes [start, end) until they run out, the last one is incomplete, or the client is halted.
   * @returns where the first request begins that was not taken.
   */
  run(client: Client, bytes: Buffer, start: number, end: number): number;
  newReplyScanner(): ReplyScanner;
  /** Requests to send first on a new connection to a server, each with one reply. */
  greeting(lane: number, shard: Shard): Buffer[];
  /** Null when this reply to a greeting is as it should be, else what is wrong with the server. */
  greetingRefusal(reply: string, link: ServerLink): string | null;
  /** An error in the protocol's words. */
  error(message: string): Buffer;
}
