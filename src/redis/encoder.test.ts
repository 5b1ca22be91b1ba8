import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyReply } from '../../test/support/resp-samples.js';
import { RespDecoder } from './decoder.js';
import { encodeReply, encodeRequest } from './encoder.js';
import { ErrorReply, MapReply, NULL_ARRAY, OK, PushReply, type Reply, SetReply, SimpleString } from './reply.js';

describe('encodeRequest', () => {
  it('writes an array of bulk strings, with lengths in bytes', () => {
    expect(encodeRequest(['SET', 'é', Buffer.from([0, 255])])).toEqual(
      Buffer.concat([Buffer.from('*3\r\n$3\r\nSET\r\n$2\r\né\r\n$2\r\n'), Buffer.from([0, 255]), Buffer.from('\r\n')]),
    );
    expect(encodeRequest(['PING']).toString()).toBe('*1\r\n$4\r\nPING\r\n');
  });
});

describe('encodeReply', () => {
  const cases: readonly (readonly [string, Reply, string, string])[] = [
    ['a simple string', OK, '+OK\r\n', '+OK\r\n'],
    ['a string', 'é', '$2\r\né\r\n', '$2\r\né\r\n'],
    ['bytes', Buffer.from('ab'), '$2\r\nab\r\n', '$2\r\nab\r\n'],
    ['an integer', -5, ':-5\r\n', ':-5\r\n'],
    ['a 64-bit integer', 2n ** 63n - 1n, ':9223372036854775807\r\n', ':9223372036854775807\r\n'],
    ['a big number', 2n ** 63n, '$19\r\n9223372036854775808\r\n', '(9223372036854775808\r\n'],
    ['a double', 1.5, '$3\r\n1.5\r\n', ',1.5\r\n'],
    ['infinity', Number.NEGATIVE_INFINITY, '$4\r\n-inf\r\n', ',-inf\r\n'],
    ['not a number', Number.NaN, '$3\r\nnan\r\n', ',nan\r\n'],
    ['true', true, ':1\r\n', '#t\r\n'],
    ['false', false, ':0\r\n', '#f\r\n'],
    ['null', null, '$-1\r\n', '_\r\n'],
    ['no array', NULL_ARRAY, '*-1\r\n', '_\r\n'],
    ['an error', new ErrorReply('ERR bad\r\nline'), '-ERR bad  line\r\n', '-ERR bad  line\r\n'],
    ['a simple string with a line end', new SimpleString('a\nb'), '+a b\r\n', '+a b\r\n'],
    ['an array', [1, [null]], '*2\r\n:1\r\n*1\r\n$-1\r\n', '*2\r\n:1\r\n*1\r\n_\r\n'],
    ['a map', new MapReply([['a', true]]), '*2\r\n$1\r\na\r\n:1\r\n', '%1\r\n$1\r\na\r\n#t\r\n'],
    ['a set', new SetReply([1]), '*1\r\n:1\r\n', '~1\r\n:1\r\n'],
    ['a push', new PushReply([1]), '*1\r\n:1\r\n', '>1\r\n:1\r\n'],
  ];
  for (const [what, reply, two, three] of cases) {
    it(`writes ${what} for RESP2 and RESP3`, () => {
      expect(encodeReply(reply, 2).toString()).toBe(two);
      expect(encodeReply(reply, 3).toString()).toBe(three);
    });
  }

  it('uses only RESP2 types for a RESP2 client', () => {
    fc.assert(
      fc.property(anyReply(), (sample) => {
        const values: Reply[] = [];
        new RespDecoder().feed(encodeReply(sample.value, 2), (value) => values.push(value));
        expect(values).toEqual([downgraded(sample.read)]);
      }),
    );
  });
});

/** What a RESP2 client must see of a value: written apart from the encoder. */
function downgraded(value: Reply): Reply {
  if (value instanceof MapReply) return value.entries.flat().map(downgraded);
  if (value instanceof SetReply || value instanceof PushReply) return value.items.map(downgraded);
  if (Array.isArray(value)) return value.map(downgraded);
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? value : `${value}`;
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  if (Number.isNaN(value)) return 'nan';
  return Number.isFinite(value) ? `${value}` : `${value > 0 ? '' : '-'}inf`;
}
