/** One request while it is being taken, and the shortest ways to deal with it. */
import type { Client } from './forward/client.js';
import type { Pool } from './forward/pool.js';
import type { ServerLink } from './forward/server-link.js';
import type { Shard } from './forward/shard.js';
import type { RedisRequestFrame } from './framing/redis-request.js';
import { encodeRequest } from './redis-encode.js';

/** A request while it is looked at; the bytes are the read buffer's. */
export interface Request {
  readonly client: Client;
  readonly bytes: Buffer;
  readonly start: number;
  readonly frame: RedisRequestFrame;
  readonly id: number;
  /** In lower case. */
  readonly name: string;
}

/** The request as an array of bulk strings, whichever way it came; a copy. */
export function requestOf(request: Request): Buffer {
  const { bytes, start, frame } = request;
  if (!frame.inline) return Buffer.from(bytes.subarray(start, frame.end));
  const indexes = Array.from({ length: frame.argc }, (_, i) => i);
  return encodeRequest(indexes.map((i) => bytes.subarray(frame.argStart(i), frame.argEnd(i))));
}

/** Answers at once; true, as the request has been taken. */
export function refuse(client: Client, reply: Buffer): true {
  client.answer(reply);
  return true;
}

/** What a command's handler may do with a request; implemented by the slow path. */
export interface RequestPath {
  readonly pool: Pool;
  /** Forwards a request as it is to the shard that holds all of the keys at these argument numbers. */
  toKeys(request: Request, places: readonly number[]): boolean;
  toShard(request: Request, shard: Shard): boolean;
  /**
   * A connection that takes a request for this command now; 'wait' when the client waits for one; null when it has waited
   * too long.
   */
  linkOrWait(client: Client, shard: Shard, id: number): ServerLink | 'wait' | null;
  /** A connection for this client alone; 'wait' when it must wait; any other text is an error. */
  ownLinkOrWait(client: Client, shard: Shard): ServerLink | string;
  /** True when all earlier requests are answered; else the client is halted until they are. */
  alone(client: Client): boolean;
}
