/** SENTINEL LEASE in words, and its answer: a flat array of names and values. Anything odd is no grant. */
import { ErrorReply, type Reply } from '../../redis/reply.js';
import type { Effect, Input, Place } from '../core/io.js';

export type AskLease = Extract<Effect, { do: 'ask-lease' }>;

export type LeaseAnswer =
  | ({ readonly ok: true } & Pick<
      Extract<Input, { on: 'lease' }>,
      'granted' | 'reason' | 'record' | 'leased_ms' | 'vote'
    >)
  | { readonly ok: false; readonly why: string };

const MAX_LEASED_MS = 2 ** 31 - 1;

/** The command that asks for the lease of the Redis at `place`, or gives it back. */
export function leaseCommand(group: string, { host, port }: Place, ask: AskLease): string[] {
  const { epoch, ttl_ms, handOver, held, term, reason } = ask;
  const number = term === null ? [] : [String(term)];
  const options = [...(handOver ? ['handover'] : []), ...(held === null ? [] : ['held', String(held)])];
  const last = ttl_ms === 0 ? [reason, ...number] : [...options, ...number.flatMap((each) => ['term', each])];
  return ['SENTINEL', 'LEASE', group, host, String(port), String(epoch), String(ttl_ms), ...last];
}

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
  // Sentinels of a former version do not tell it.
  const vote = integer(fields.get('vote') ?? 0, Number.MAX_SAFE_INTEGER);
  if (granted === null || paused === null) return odd('that does not say 0 or 1');
  if (typeof reason !== 'string') return odd('without a reason');
  if (epoch === null || typeof host !== 'string' || port === null) return odd('without a record');
  const record = host === '' || port === 0 ? null : { epoch, master: { host, port } };
  if (granted === 1 && record === null) return odd('that grants to nobody');
  return { ok: true, granted: granted === 1, reason, record, leased_ms, vote: vote === 0 ? null : vote };
}

/** A number, or its text, from 0 to `max`; null for anything else. */
function integer(value: Reply | undefined, max: number): number | null {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 && number <= max ? number : null;
}
