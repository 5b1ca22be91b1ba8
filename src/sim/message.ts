/** What travels over a simulated connection. */
import type { Reply } from '../redis/reply.js';

/** A write as a Redis holds it: the number that the writer gave it, and the replication offset after it. */
export interface Write {
  readonly id: number;
  readonly end: number;
}

export type Message =
  | { readonly kind: 'request'; readonly args: readonly string[] }
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** A pub/sub message on the hello channel. */
  | { readonly kind: 'push'; readonly text: string }
  /** A replica asks for what it lacks; `handover` is PSYNC … FAILOVER: become the master first. */
  | {
      readonly kind: 'psync';
      readonly ip: string;
      readonly port: number;
      readonly replid: string;
      readonly offset: number;
      readonly handover: boolean;
    }
  | { readonly kind: 'full-sync'; readonly replid: string; readonly offset: number; readonly writes: readonly Write[] }
  | { readonly kind: 'continue'; readonly replid: string; readonly offset: number; readonly writes: readonly Write[] }
  | { readonly kind: 'no-sync'; readonly why: string }
  /** One piece of the replication stream, a write, a published hello or a ping; `end` is the offset after it. */
  | {
      readonly kind: 'stream';
      readonly end: number;
      readonly write: Write | null;
      readonly hello: string | null;
      readonly wantAck: boolean;
    }
  | { readonly kind: 'ack'; readonly offset: number };
