/**
 * RESP values as the rest of the code handles them. No sockets, no buffers kept alive: see `decoder.ts` for how bytes
 * become these and `encoder.ts` for the way back.
 */

/** An error reply (`-ERR …`, `!…`): a value, not an exception, since it answers a request like any other reply. */
export class ErrorReply {
  constructor(readonly message: string) {}

  /** The first word, e.g. `NOAUTH`, `LOADING`, `MASTERDOWN`, `ERR`. */
  get code(): string {
    const space = this.message.indexOf(' ');
    return space === -1 ? this.message : this.message.slice(0, space);
  }
}

/** A simple string (`+OK`). Decoders give plain strings; an encoder is told by this class not to send a bulk string. */
export class SimpleString {
  constructor(readonly text: string) {}
}

/** A RESP3 map (`%`); encoded as a flat array for a RESP2 client. */
export class MapReply {
  constructor(readonly entries: readonly (readonly [Reply, Reply])[]) {}
}

/** A RESP3 set (`~`); encoded as an array for a RESP2 client. */
export class SetReply {
  constructor(readonly items: readonly Reply[]) {}
}

/** A RESP3 push (`>`); encoded as an array for a RESP2 client. */
export class PushReply {
  constructor(readonly items: readonly Reply[]) {}
}

/**
 * No array (`*-1`; RESP3 has one null for all). Only for encoding, where a client expects an array and would misread a
 * null string: decoders give null for both.
 */
export class NullArray {
  readonly kind = 'null array';
}

export const NULL_ARRAY = new NullArray();

/** Any RESP value. `number` is an integer or a RESP3 double, `bigint` an integer beyond 2^53 or a big number. */
export type Reply =
  | string
  | Uint8Array
  | number
  | bigint
  | boolean
  | null
  | ErrorReply
  | SimpleString
  | MapReply
  | SetReply
  | PushReply
  | NullArray
  | readonly Reply[];

/** `+OK`. */
export const OK = new SimpleString('OK');
