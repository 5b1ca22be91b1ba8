import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutInto } from '../../test/support/resp-samples.js';
import { encodeRequest } from './encoder.js';
import { splitInline } from './inline-command.js';
import { RespProtocolError } from './protocol-error.js';
import { ByteRequestDecoder, RequestDecoder, type RequestDecoderOptions } from './request-decoder.js';

interface Outcome {
  readonly requests: string[][];
  readonly error: string | null;
}

function decode(chunks: readonly Uint8Array[], options?: RequestDecoderOptions): Outcome {
  const decoder = new RequestDecoder(options);
  const requests: string[][] = [];
  try {
    for (const chunk of chunks) decoder.feed(chunk, (args) => requests.push(args));
  } catch (error) {
    if (!(error instanceof RespProtocolError)) throw error;
    return { requests, error: error.message };
  }
  return { requests, error: null };
}

const text = (wire: string, options?: RequestDecoderOptions): Outcome => decode([Buffer.from(wire)], options);

describe('RequestDecoder', () => {
  it('reads arrays of bulk strings and inline commands, mixed', () => {
    expect(text('*2\r\n$3\r\nGET\r\n$1\r\na\r\nPING hello\r\n*0\r\n\r\n*-1\r\n*1\r\n$0\r\n\r\nQUIT\n')).toEqual({
      requests: [['GET', 'a'], ['PING', 'hello'], [''], ['QUIT']],
      error: null,
    });
  });

  it('gives the same for every cut', () => {
    const wire = Buffer.from('*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\nSET "a b" \'c\'\r\n*1\r\n$4\r\nPING\r\n');
    const whole = decode([wire]);
    expect(whole.requests).toEqual([['GET', '\r\n'], ['SET', 'a b', 'c'], ['PING']]);
    expect(decode([...wire].map((byte) => Uint8Array.of(byte)))).toEqual(whole);
    for (let cut = 1; cut < wire.length; cut++) {
      expect(decode([wire.subarray(0, cut), wire.subarray(cut)])).toEqual(whole);
    }
  });

  const faults: readonly (readonly [string, string])[] = [
    ['*x\r\n', 'invalid multibulk length'],
    ['*2000000\r\n', 'invalid multibulk length'],
    ['*1\r\n:1\r\n', "expected '$', got ':'"],
    ['*1\r\n$-1\r\n', 'invalid bulk length'],
    ['*1\r\n$999999999999\r\n', 'invalid bulk length'],
    ['*1\r\n$1\r\nabc', 'expected CR LF after a bulk string'],
    ['SET "a\r\n', 'unbalanced quotes in request'],
    ['SET "a"b\r\n', 'unbalanced quotes in request'],
    ['x'.repeat(65_537), 'too big inline request'],
    [`*${'1'.repeat(65_537)}`, 'too big mbulk count string'],
    [`*1\r\n$${'1'.repeat(65_537)}`, 'too big bulk count string'],
  ];
  for (const [wire, message] of faults) {
    it(`answers "${message}" to ${JSON.stringify(wire.slice(0, 20))}`, () => {
      expect(text(wire)).toEqual({ requests: [], error: `Protocol error: ${message}` });
      expect(text(`PING\r\n${wire}`).requests).toEqual([['PING']]);
      expect(decode([...Buffer.from(wire)].map((byte) => Uint8Array.of(byte))).error).toBe(
        `Protocol error: ${message}`,
      );
    });
  }

  it('limits a client that has not logged in, until it has', () => {
    const many = `*11\r\n${'$1\r\na\r\n'.repeat(11)}`;
    const long = `*1\r\n$16385\r\n${'x'.repeat(16385)}\r\n`;
    expect(text(many, { unauthenticated: true }).error).toBe('Protocol error: unauthenticated multibulk length');
    expect(text(long, { unauthenticated: true }).error).toBe('Protocol error: unauthenticated bulk length');
    const decoder = new RequestDecoder({ unauthenticated: true });
    const sizes: number[] = [];
    decoder.feed(Buffer.from(`AUTH pass\r\n${many}${long}`), (args) => {
      decoder.authenticated = true;
      sizes.push(args.length);
    });
    expect(sizes).toEqual([2, 11, 1]);
  });

  it('limits a request as a whole', () => {
    expect(text('*2\r\n$6\r\n123456\r\n$6\r\n', { limits: { request_bytes: 10 } }).error).toMatch(/too big request/);
    expect(text('*1\r\n$6\r\n123456\r\n*1\r\n$6\r\n123456\r\n', { limits: { request_bytes: 10 } }).error).toBeNull();
  });

  it('refuses all input after an error', () => {
    const decoder = new RequestDecoder();
    expect(() => decoder.feed(Buffer.from('*x\r\n'), () => {})).toThrow(RespProtocolError);
    expect(() => decoder.feed(Buffer.from('PING\r\n'), () => {})).toThrow(RespProtocolError);
  });

  it('reads back what encodeRequest wrote, as bytes, however it is cut', () => {
    const request = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 5 }), fc.infiniteStream(fc.nat(30)), (requests, cuts) => {
        const decoder = new ByteRequestDecoder();
        const read: number[][][] = [];
        for (const chunk of cutInto(Buffer.concat(requests.map(encodeRequest)), cuts)) {
          decoder.feed(chunk, (args) => read.push(args.map((arg) => [...arg])));
        }
        expect(read).toEqual(requests.map((args) => args.map((arg) => [...arg])));
        expect(decoder.idle).toBe(true);
      }),
    );
  });

  it('agrees with a naive reading of every stream, valid or not', () => {
    const soup = fc.array(
      fc.oneof(
        fc.constantFrom(
          '*2\r\n',
          '*1\r\n',
          '$3\r\nabc\r\n',
          '$0\r\n\r\n',
          'PING\r\n',
          '\r\n',
          '\n',
          '*0\r\n',
          '$2\r\n',
        ),
        fc.constantFrom('"', "'", ' ', 'a "b\\x41" c\r\n', '\\', '\r', '*', '$', '-1'),
        fc.string({ maxLength: 3 }),
      ),
      { maxLength: 25 },
    );
    fc.assert(
      fc.property(soup, fc.infiniteStream(fc.nat(6)), (parts, cuts) => {
        const wire = Buffer.from(parts.join(''));
        const { requests, error } = decode(cutInto(wire, cuts));
        expect({ requests, failed: error !== null }).toEqual(naive(wire.toString('latin1')));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('splitInline', () => {
  const split = (line: string): string[] | null =>
    splitInline(Buffer.from(line, 'latin1'))?.map((arg) => Buffer.from(arg).toString('latin1')) ?? null;
  const cases: readonly (readonly [string, string[] | null])[] = [
    ['', []],
    ['  a\t b ', ['a', 'b']],
    ['"a b" c', ['a b', 'c']],
    ['x"a b"', ['xa b']],
    ['""', ['']],
    ['"\\n\\r\\t\\b\\a\\q\\"\\\\"', ['\n\r\t\b\x07q"\\']],
    ['"\\x41\\xff\\xzz"', ['A\xffxzz']],
    ["'a\\'b\\n'", ["a'b\\n"]],
    ['a\\nb', ['a\\nb']],
    ['a\0b c', ['a']],
    ['"a', null],
    ['"a\\', null],
    ["'a", null],
    ['"a"b', null],
    ["'a'b", null],
  ];
  for (const [line, args] of cases) {
    it(JSON.stringify(line), () => {
      expect(split(line)).toEqual(args);
    });
  }
});

/** Reads a whole stream with string functions; for short streams, where no limit matters. */
function naive(wire: string): { requests: string[][]; failed: boolean } {
  const requests: string[][] = [];
  const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString();
  let rest = wire;
  for (;;) {
    const line = /^([^\n]*)\n/.exec(rest)?.[1];
    if (line === undefined) return { requests, failed: false };
    const after = rest.slice(line.length + 1);
    if (!line.startsWith('*')) {
      const args = splitInline(Buffer.from(line, 'latin1'));
      if (args === null) return { requests, failed: true };
      if (args.length > 0) requests.push(args.map((arg) => Buffer.from(arg).toString()));
      rest = after;
      continue;
    }
    const args = /^\*(-?\d{1,10})\r$/.exec(line)?.[1];
    if (args === undefined || Number(args) > 1024 * 1024) return { requests, failed: true };
    const request: string[] = [];
    rest = after;
    while (request.length < Number(args)) {
      if (rest === '') return { requests, failed: false };
      if (!rest.startsWith('$')) return { requests, failed: true };
      const header = /^([^\n]*)\n/.exec(rest)?.[1];
      if (header === undefined) return { requests, failed: false };
      const size = /^\$(\d{1,10})\r$/.exec(header)?.[1];
      if (size === undefined || Number(size) > 500_000_000) return { requests, failed: true };
      const start = header.length + 1;
      const end = start + Number(size);
      const tail = rest.slice(end, end + 2);
      if (!'\r\n'.startsWith(tail)) return { requests, failed: true };
      if (tail.length < 2) return { requests, failed: false };
      request.push(utf8(rest.slice(start, end)));
      rest = rest.slice(end + 2);
    }
    if (request.length > 0) requests.push(request);
  }
}
