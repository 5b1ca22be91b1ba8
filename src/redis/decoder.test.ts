import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { naiveDecode } from '../../test/support/naive-resp.js';
import { anyReply, cutInto } from '../../test/support/resp-samples.js';
import { RespDecoder, type RespDecoderOptions } from './decoder.js';
import { encodeReply } from './encoder.js';
import { type RespErrorCode, RespProtocolError } from './protocol-error.js';
import { ErrorReply, MapReply, PushReply, type Reply, SetReply } from './reply.js';

function decode(chunks: readonly Uint8Array[], options?: RespDecoderOptions): Reply[] {
  const decoder = new RespDecoder(options);
  const values: Reply[] = [];
  for (const chunk of chunks) decoder.feed(chunk, (value) => values.push(value));
  return values;
}

function failure(wire: string, options?: RespDecoderOptions): RespProtocolError {
  const decoder = new RespDecoder(options);
  try {
    decoder.feed(Buffer.from(wire), () => {});
  } catch (error) {
    if (error instanceof RespProtocolError) return error;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(wire)}`);
}

const text = (wire: string): Reply[] => decode([Buffer.from(wire)]);

describe('RespDecoder: every type of the protocol', () => {
  const cases: readonly (readonly [string, Reply])[] = [
    ['+OK\r\n', 'OK'],
    ['+\r\n', ''],
    ['-ERR no such thing\r\n', new ErrorReply('ERR no such thing')],
    [':42\r\n', 42],
    [':-42\r\n', -42],
    [':+7\r\n', 7],
    [':-0\r\n', 0],
    [':9223372036854775807\r\n', 9223372036854775807n],
    [':-9223372036854775808\r\n', -9223372036854775808n],
    ['$5\r\nhello\r\n', 'hello'],
    ['$0\r\n\r\n', ''],
    ['$4\r\n\r\n\r\n\r\n', '\r\n\r\n'],
    ['$-1\r\n', null],
    ['*-1\r\n', null],
    ['*0\r\n', []],
    ['*2\r\n$1\r\na\r\n*1\r\n:1\r\n', ['a', [1]]],
    ['_\r\n', null],
    ['#t\r\n', true],
    ['#f\r\n', false],
    [',1.5\r\n', 1.5],
    [',-1e10\r\n', -1e10],
    [',inf\r\n', Number.POSITIVE_INFINITY],
    [',-inf\r\n', Number.NEGATIVE_INFINITY],
    [',nan\r\n', Number.NaN],
    ['(3492890328409238509324850943850943825024385\r\n', 3492890328409238509324850943850943825024385n],
    ['!11\r\nERR a\r\nline\r\n', new ErrorReply('ERR a\r\nline')],
    ['=8\r\ntxt:some\r\n', 'some'],
    ['%1\r\n+a\r\n:1\r\n', new MapReply([['a', 1]])],
    ['%0\r\n', new MapReply([])],
    ['~2\r\n:1\r\n:2\r\n', new SetReply([1, 2])],
    ['>2\r\n+message\r\n+x\r\n', new PushReply(['message', 'x'])],
    ['|1\r\n+ttl\r\n:3600\r\n$1\r\nv\r\n', 'v'],
    ['*2\r\n|1\r\n+k\r\n*2\r\n:1\r\n:2\r\n:5\r\n:6\r\n', [5, 6]],
    ['|0\r\n:1\r\n', 1],
  ];
  for (const [wire, value] of cases) {
    it(JSON.stringify(wire), () => {
      expect(text(wire)).toEqual([value]);
    });
  }

  it('reads any cut of any of them alike', () => {
    for (const [wire, value] of cases) {
      const bytes = Buffer.from(wire);
      expect(decode([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual([value]);
      for (let cut = 1; cut < bytes.length; cut++) {
        expect(decode([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual([value]);
      }
    }
  });

  it('gives nothing for a truncated value, and is idle only between values', () => {
    for (const [wire] of cases) {
      const bytes = Buffer.from(wire);
      for (let cut = 1; cut < bytes.length; cut++) {
        const decoder = new RespDecoder();
        decoder.feed(bytes.subarray(0, cut), () => expect.unreachable());
        expect(decoder.idle).toBe(false);
      }
    }
  });

  it('gives bytes on request, copied out of the chunk', () => {
    const chunk = Buffer.from('$2\r\n\xff\x00\r\n$2\r\nab', 'latin1');
    const decoder = new RespDecoder({ strings: 'bytes' });
    const values: Reply[] = [];
    decoder.feed(chunk, (value) => values.push(value));
    chunk.fill(0x21);
    decoder.feed(Buffer.from('\r\n=6\r\ntxt:ab\r\n'), (value) => values.push(value));
    expect(values).toEqual([Buffer.from([0xff, 0]), Buffer.from('ab'), Buffer.from('ab')]);
  });
});

describe('RespDecoder: nonsense and limits', () => {
  const cases: readonly (readonly [string, RespErrorCode, number])[] = [
    ['HTTP/1.1 400', 'ERR_RESP_TYPE', 0],
    ['\r\n', 'ERR_RESP_TYPE', 0],
    ['+OK\r\n\x00', 'ERR_RESP_TYPE', 5],
    ['+a\nb\r\n', 'ERR_RESP_LINE_END', 2],
    ['+a\rb\r\n', 'ERR_RESP_LINE_END', 3],
    ['$1\r\nabc', 'ERR_RESP_LINE_END', 5],
    ['$1\r\na\rb', 'ERR_RESP_LINE_END', 6],
    [':\r\n', 'ERR_RESP_NUMBER', 0],
    [':1a\r\n', 'ERR_RESP_NUMBER', 0],
    [':9223372036854775808\r\n', 'ERR_RESP_NUMBER', 0],
    [',1.2.3\r\n', 'ERR_RESP_NUMBER', 0],
    ['(1e5\r\n', 'ERR_RESP_NUMBER', 0],
    ['#x\r\n', 'ERR_RESP_NUMBER', 0],
    ['_x\r\n', 'ERR_RESP_NUMBER', 0],
    ['$\r\n', 'ERR_RESP_LENGTH', 0],
    ['$-2\r\n', 'ERR_RESP_LENGTH', 0],
    ['%-1\r\n', 'ERR_RESP_LENGTH', 0],
    ['*99999999999\r\n', 'ERR_RESP_LENGTH', 0],
    ['=3\r\n', 'ERR_RESP_LENGTH', 0],
    ['$?\r\n', 'ERR_RESP_STREAMED', 0],
    ['*?\r\n', 'ERR_RESP_STREAMED', 0],
    ['$536870913\r\n', 'ERR_RESP_BULK_TOO_LONG', 0],
    ['*1000000000\r\n', 'ERR_RESP_AGGREGATE_TOO_BIG', 0],
    ['*1\r\n>1\r\n', 'ERR_RESP_NESTED_PUSH', 4],
    [`+${'x'.repeat(70_000)}`, 'ERR_RESP_LINE_TOO_LONG', 0],
    ['*1\r\n'.repeat(65), 'ERR_RESP_TOO_DEEP', 256],
    ['*1000000\r\n'.repeat(5), 'ERR_RESP_TOO_MANY_ELEMENTS', 40],
  ];
  for (const [wire, code, offset] of cases) {
    it(`refuses ${JSON.stringify(wire.slice(0, 30))} as ${code} at byte ${offset}`, () => {
      const error = failure(wire);
      expect([error.code, error.offset]).toEqual([code, offset]);
    });
  }

  it('refuses a value whose parts are small but whose sum is not', () => {
    const limits = { value_bytes: 20 };
    expect(failure('*3\r\n$8\r\n12345678\r\n$8\r\n12345678\r\n', { limits }).code).toBe('ERR_RESP_VALUE_TOO_BIG');
    expect(decode([Buffer.from('$8\r\n12345678\r\n$8\r\n12345678\r\n')], { limits })).toHaveLength(2);
  });

  it('tells the place of a fault by the stream, not by the chunk', () => {
    const wire = Buffer.from(':1\r\n$1\r\na\r\n*1\r\n:x\r\n');
    const offsets: number[] = [];
    for (let cut = 0; cut < wire.length; cut++) {
      const decoder = new RespDecoder();
      try {
        for (const chunk of [wire.subarray(0, cut), wire.subarray(cut)]) decoder.feed(chunk, () => {});
      } catch (error) {
        if (error instanceof RespProtocolError) offsets.push(error.offset);
      }
    }
    expect(offsets).toEqual(Array(wire.length).fill(15));
  });

  it('counts the limits afresh for each value', () => {
    const limits = { element_count: 2 };
    expect(decode([Buffer.from('*2\r\n:1\r\n:2\r\n*2\r\n:1\r\n:2\r\n')], { limits })).toHaveLength(2);
    expect(failure('*2\r\n*1\r\n:1\r\n', { limits }).code).toBe('ERR_RESP_TOO_MANY_ELEMENTS');
  });

  it('stays refused after an error, with the values before it delivered', () => {
    const decoder = new RespDecoder();
    const values: Reply[] = [];
    const read = (wire: string): void => decoder.feed(Buffer.from(wire), (value) => values.push(value));
    expect(() => read(':1\r\n?')).toThrow(RespProtocolError);
    expect(() => read(':2\r\n')).toThrow(RespProtocolError);
    expect(values).toEqual([1]);
  });

  it('allocates nothing for what is only announced', () => {
    const decoders = Array.from({ length: 100 }, () => new RespDecoder());
    const before = process.memoryUsage();
    for (const decoder of decoders) decoder.feed(Buffer.from('*1000000\r\n$536870000\r\nx'), () => {});
    const after = process.memoryUsage();
    expect(after.external + after.heapUsed - before.external - before.heapUsed).toBeLessThan(20_000_000);
  });

  it('copies a payload a bounded number of times, however small the chunks', () => {
    const length = 4_000_000;
    const decoder = new RespDecoder({ strings: 'bytes' });
    const values: Reply[] = [];
    decoder.feed(Buffer.from(`$${length}\r\n`), () => {});
    const piece = Buffer.alloc(10, 'x');
    for (let i = 0; i < length / 10; i++) decoder.feed(piece, () => {});
    decoder.feed(Buffer.from('\r\n'), (value) => values.push(value));
    expect(values.map((value) => Buffer.alloc(length, 'x').equals(value as Buffer))).toEqual([true]);
  });
});

describe('RespDecoder: properties', () => {
  it('reads back what the encoder wrote, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(anyReply(), { maxLength: 4 }), fc.infiniteStream(fc.nat(40)), (replies, cuts) => {
        const wire = Buffer.concat(replies.map((reply) => encodeReply(reply.value, 3)));
        expect(decode(cutInto(wire, cuts))).toEqual(replies.map((reply) => reply.read));
      }),
      { numRuns: 500 },
    );
  });

  const soup = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '\r\n',
          '$3\r\nabc\r\n',
          '*2\r\n',
          '%1\r\n',
          ':1\r\n',
          '+OK\r\n',
          '|1\r\n',
          '>1\r\n',
          '$-1\r\n',
        ),
        fc.constantFrom(
          '=5\r\ntxt:a\r\n',
          '!3\r\nERR\r\n',
          '_\r\n',
          '#t\r\n',
          ',1.5\r\n',
          '(12\r\n',
          '~0\r\n',
          '*?\r\n',
        ),
        fc.string({ maxLength: 3 }),
      ),
      { maxLength: 30 },
    )
    .map((parts) => Buffer.from(parts.join('')));

  it('agrees with a naive decoder on every stream, valid or not', () => {
    fc.assert(
      fc.property(fc.oneof(soup, fc.uint8Array({ maxLength: 60 })), fc.infiniteStream(fc.nat(9)), (wire, cuts) => {
        const values: Reply[] = [];
        let failed = false;
        const decoder = new RespDecoder();
        try {
          for (const chunk of cutInto(wire, cuts)) decoder.feed(chunk, (value) => values.push(value));
        } catch (error) {
          if (!(error instanceof RespProtocolError)) throw error;
          failed = true;
        }
        expect({ values, failed }).toEqual(naiveDecode(wire));
      }),
      { numRuns: 3000 },
    );
  });
});
