import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMPLETE, INCOMPLETE, MALFORMED, RedisRequestFrame } from './redis-request.js';
import { RedisRequestMeter } from './redis-request-meter.js';

function encode(args: readonly Uint8Array[]): Buffer {
  const parts = args.flatMap((arg) => [Buffer.from(`$${arg.length}\r\n`), arg, Buffer.from('\r\n')]);
  return Buffer.concat([Buffer.from(`*${args.length}\r\n`), ...parts]);
}

const requests = fc.array(fc.array(fc.uint8Array({ maxLength: 30 }), { minLength: 1, maxLength: 5 }), {
  minLength: 1,
  maxLength: 4,
});

describe('request frame', () => {
  it('finds every argument of every request, wherever they lie in the buffer', () => {
    const property = fc.property(requests, fc.nat(20), (list, offset) => {
      const bytes = Buffer.concat([Buffer.alloc(offset, '*'), ...list.map(encode)]);
      const frame = new RedisRequestFrame();
      let at = offset;
      for (const args of list) {
        expect(frame.parse(bytes, at, bytes.length)).toBe(COMPLETE);
        const found = args.map((_, i) => bytes.subarray(frame.argStart(i), frame.argEnd(i)));
        expect(found).toEqual(args.map((arg) => Buffer.from(arg)));
        at = frame.end;
      }
      expect(at).toBe(bytes.length);
    });
    fc.assert(property, { seed: 1 });
  });

  it('is incomplete at every cut, never asks for more than the request has, and shows the arguments it has', () => {
    const bytes = encode(['SET', 'key', 'x'.repeat(300), ''].map((text) => Buffer.from(text)));
    const frame = new RedisRequestFrame();
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(frame.parse(bytes, 0, cut)).toBe(INCOMPLETE);
      expect(frame.need_bytes).toBeGreaterThan(cut);
      expect(frame.need_bytes).toBeLessThanOrEqual(bytes.length);
    }
    frame.parse(bytes, 0, 60);
    expect(frame.argText(bytes, 1)).toBe('key');
  });

  it.each([
    ['PING\r\n', ['PING']],
    ['  set  a\tb \r\n', ['set', 'a', 'b']],
    ['\r\n', []],
    ['GET x\n', ['GET', 'x']],
  ])('reads the words of %j', (text, words) => {
    const frame = new RedisRequestFrame();
    const bytes = Buffer.from(text);
    expect(frame.parse(bytes, 0, bytes.length)).toBe(COMPLETE);
    expect(words.map((_, i) => frame.argText(bytes, i))).toEqual(words);
    expect(frame.argc).toBe(words.length);
    for (let cut = 0; cut < bytes.length; cut++) expect(frame.parse(bytes, 0, cut)).toBe(INCOMPLETE);
  });

  it('passes over empty requests, as Redis does', () => {
    const frame = new RedisRequestFrame();
    for (const text of ['*0\r\n', '*-1\r\n']) {
      expect(frame.parse(Buffer.from(text), 0, text.length)).toBe(COMPLETE);
      expect(frame).toMatchObject({ argc: 0, end: text.length });
    }
  });

  it.each([
    '*x\r\n',
    '*1\rx',
    '*99999999\r\n',
    '*1048577\r\n',
    '*1\r\n:1\r\n',
    '*1\r\n$-1\r\n',
    '*01\r\n$1\r\na\r\n',
    '*1\r\n$01\r\na\r\n',
    '*1\r\n$x\r\n',
    '*1\r\n$1\rx',
    '*1\r\n$99999999999\r\n',
    '*1\r\n$536870913\r\n',
    '*1\r\n$1\r\nab\r\n',
    `${'x'.repeat(70_000)}`,
  ])('refuses %j', (text) => {
    const frame = new RedisRequestFrame();
    expect(frame.parse(Buffer.from(text), 0, text.length)).toBe(MALFORMED);
    expect(frame.problem).not.toBe('');
  });

  it('survives random bytes', () => {
    const frame = new RedisRequestFrame();
    const noise = fc.array(fc.constantFrom('*', '$', '1', '2', '0', '-', '\r\n', '\r', '\n', 'x', ' '), {
      maxLength: 40,
    });
    const property = fc.property(noise, (parts) => {
      const bytes = Buffer.from(parts.join(''));
      const state = frame.parse(bytes, 0, bytes.length);
      if (state === COMPLETE) expect(frame.end).toBeLessThanOrEqual(bytes.length);
      if (state === INCOMPLETE) expect(frame.need_bytes).toBeGreaterThan(bytes.length);
    });
    fc.assert(property, { seed: 2, numRuns: 2000 });
  });
});

describe('request meter', () => {
  it('ends where the frame does, at whatever bytes the stream is cut', () => {
    const property = fc.property(
      requests,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (list, steps) => {
        const bytes = Buffer.concat(list.map(encode));
        const meter = new RedisRequestMeter();
        const ends: number[] = [];
        let turn = 0;
        for (let at = 0; at < bytes.length; ) {
          const step = steps[turn++ % steps.length] ?? 1;
          at = meter.skip(bytes, at, Math.min(at + step, bytes.length));
          expect(meter.malformed).toBe(false);
          if (!meter.done) continue;
          ends.push(at);
          meter.reset();
        }
        const expected: number[] = [];
        for (const args of list) expected.push((expected.at(-1) ?? 0) + encode(args).length);
        expect(ends).toEqual(expected);
      },
    );
    fc.assert(property, { seed: 3 });
  });
});
