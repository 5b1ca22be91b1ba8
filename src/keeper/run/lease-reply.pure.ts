/** Reads the answer to SENTINEL LEASE: a flat array of names and values. Anything odd is no grant. */
import { ErrorReply, type Reply } from '../../redis/reply.js';
import type { LeaderRecord } from '../core/io.js';

export type LeaseAnswer =
  | {
      readonly ok: true;
      readonly granted: boolean;
      readonly reason: string;
      readonly record: LeaderRecord | null;
      readonly leased_ms: number;
    }
  | { readonly ok: false; readonly why: string };

const MAX_LEASED_MS = 2 ** 31 - 1;

const odd = (why: string): LeaseAnswer => ({ ok: false, why: `an answer to SENTINEL LEASE ${why}` });

/** Names that it does not know are passed over: a newer Sentinel may say more. */
export function readLeaseReply(reply: Reply): LeaseAnswer {
  if (reply instanceof ErrorReply) return { ok: false, why: reply.message };
  if (!Array.isArray(reply)) return odd('that is no array');
  if (reply.length % 2 !== 0) return odd('with a name that has no value');
  const fields = new Map<string, Reply>();
  for (let at = 0; at < reply.length; at += 2) {
    const name: Reply = reply[at];
    if (typeof name !== 'string' || fields.has(name)) return odd(`with an odd name at ${at}`);
    fields.set(name, reply[at + 1]);
  }
  const granted = integer(fields.get('granted'), 1);
  const reason = fields.get('reason');
  const epoch = integer(fields.get('epoch'), Number.MAX_SAFE_INTEGER);
  const host = fields.get('host');
  const port = integer(fields.get('port'), 65_535);
  const paused = integer(fields.get('paused'), 1);
  // Of a Sentinel that does not tell, nothing is known.
  const leased_ms = fields.has('leased') ? integer(fields.get('leased'), MAX_LEASED_MS) : 0;
  if (leased_ms === null) return odd('with an odd length of a lease');
  if (granted === null || paused === null) return odd('that does not say 0 or 1');
  if (typeof reason !== 'string') return odd('without a reason');
  if (epoch === null || typeof host !== 'string' || port === null) return odd('without a record');
  const record = host === '' || port === 0 ? null : { epoch, master: { host, port } };
  if (granted === 1 && record === null) return odd('that grants to nobody');
  return { ok: true, granted: granted === 1, reason, record, leased_ms };
}

/** A number, or its text, from 0 to `max`; null for anything else. */
function integer(value: Reply | undefined, max: number): number | null {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 && number <= max ? number : null;
}
