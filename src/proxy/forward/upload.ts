/**
 * A request too large to keep: its bytes are passed on as they come, over a connection that no other client uses
 * meanwhile, or thrown away when it was refused.
 */
import { RedisRequestMeter } from '../framing/redis-request-meter.js';
import type { Client } from './client.js';
import type { ServerLink } from './server-link.js';

/** Unsent bytes of a request at which no more of it is taken from its client. */
const AHEAD_BYTES = 512 * 1024;

export class Upload {
  readonly #meter = new RedisRequestMeter();
  readonly #link: ServerLink | null;
  readonly #refusal: Buffer | null;
  #abandoned = false;

  /**
   * @param link where the bytes go; null to throw them away.
   * @param refusal what to answer at the end of a request that is thrown away.
   */
  constructor(link: ServerLink | null, refusal: Buffer | null) {
    this.#link = link;
    this.#refusal = refusal;
  }

  /** Takes bytes of the request; returns where the next one begins, or the end. */
  feed(client: Client, bytes: Buffer, start: number, end: number): number {
    const at = this.#meter.skip(bytes, start, end);
    if (this.#meter.malformed) {
      this.abandon();
      client.upload = null;
      client.answer(client.pool.front.error('ERR Protocol error: a large request was not well formed'));
      client.halt('closing');
      return end;
    }
    const link = this.#link;
    if (link !== null && !this.#abandoned) {
      // The connection may be gone, with an error as the reply: the rest of the request is then thrown away.
      if (link.pending.count === 0) this.#abandoned = true;
      else link.sendPart(bytes, start, at);
    }
    if (this.#meter.done) {
      client.upload = null;
      if (link !== null) {
        link.onDrain = null;
        link.inParts = false;
      }
      if (this.#refusal !== null) client.answer(this.#refusal);
      // What comes behind it goes over another connection, and must not overtake it.
      if (client.inFlight > 0) client.halt('alone');
    } else if (link !== null && !this.#abandoned && link.unsent_bytes > AHEAD_BYTES) {
      link.onDrain = (): void => client.proceed('upload');
      client.halt('upload');
    }
    return at;
  }

  /** The client has left, or its server: a request half sent cannot be finished, so its connection ends. */
  abandon(): void {
    if (this.#abandoned) return;
    this.#abandoned = true;
    if (this.#link === null) return;
    this.#link.onDrain = null;
    this.#link.fail('the client left before its request was complete', 'closing');
  }
}
