import { describe, expect, it } from 'vitest';
import { ErrorReply, type Reply } from '../../redis/reply.js';
import { readLeaseReply } from './lease-reply.pure.js';

const good = ['granted', 1, 'reason', '', 'epoch', 4, 'host', '10.0.0.1', 'port', 6379, 'paused', 0] as const;

/** The good answer with one field changed, or left out. */
function but(name: string, value: Reply | undefined): Reply[] {
  const fields: Reply[] = [];
  for (let at = 0; at < good.length; at += 2) {
    const [key, old] = [good[at] ?? '', good[at + 1] ?? ''];
    if (key !== name) fields.push(key, old);
    else if (value !== undefined) fields.push(key, value);
  }
  return fields;
}

it('reads a grant and a refusal, with the record', () => {
  const record = { epoch: 4, master: { host: '10.0.0.1', port: 6379 } };
  expect(readLeaseReply(good)).toEqual({ ok: true, granted: true, reason: '', record, leased_ms: 0, vote: null });
  const texts = good.map((each) => (typeof each === 'number' ? String(each) : each));
  expect(readLeaseReply(texts)).toEqual({ ok: true, granted: true, reason: '', record, leased_ms: 0, vote: null });
  const refused = ['granted', 0, 'reason', 'promised', 'epoch', 4, 'host', '10.0.0.1', 'port', 6379, 'paused', 1];
  expect(readLeaseReply(refused)).toEqual({
    ok: true,
    granted: false,
    reason: 'promised',
    record,
    leased_ms: 0,
    vote: null,
  });
  expect(readLeaseReply([...refused, 'vote', 7])).toMatchObject({ granted: false, vote: 7 });
  expect(readLeaseReply([...good, 'vote', 0])).toMatchObject({ granted: true, vote: null });
  expect(readLeaseReply([...good, 'leased', 750])).toMatchObject({ leased_ms: 750 });
  expect(readLeaseReply([...good, 'later', ['anything']])).toMatchObject({ ok: true, granted: true });
});

it('reads a Sentinel that knows no master', () => {
  const none = ['granted', 0, 'reason', 'no such master', 'epoch', 0, 'host', '', 'port', 0, 'paused', 0];
  expect(readLeaseReply(none)).toEqual({
    ok: true,
    granted: false,
    reason: 'no such master',
    record: null,
    leased_ms: 0,
    vote: null,
  });
});

it('hands on the error of a Sentinel that does not know the call', () => {
  const text = "ERR Unknown sentinel subcommand 'LEASE'";
  expect(readLeaseReply(new ErrorReply(text))).toEqual({ ok: false, why: text });
});

describe('takes for no grant', () => {
  const odd: [string, Reply][] = [
    ['no array', 'OK'],
    ['null', null],
    ['an empty array', []],
    ['a name without a value', [...good, 'more']],
    ['a name that is none', [...good, 1, 1]],
    ['a name said twice', [...good, 'granted', 0]],
    ['granted 2', but('granted', 2)],
    ['granted yes', but('granted', 'yes')],
    ['granted true', but('granted', true)],
    ['a negative epoch', but('epoch', -1)],
    ['half an epoch', but('epoch', 1.5)],
    ['an epoch beyond what a number holds', but('epoch', '9999999999999999')],
    ['a large port', but('port', 65_536)],
    ['a host that is a number', but('host', 10)],
    ['a grant to nobody', but('host', '')],
    ['a lease of a negative length', [...good, 'leased', -1]],
    ['a reason that is none', but('reason', null)],
    ...['granted', 'reason', 'epoch', 'host', 'port', 'paused'].map((name): [string, Reply] => [
      `an answer without ${name}`,
      but(name, undefined),
    ]),
  ];
  for (const [what, reply] of odd) {
    it(what, () => expect(readLeaseReply(reply)).toMatchObject({ ok: false }));
  }
});
