import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RedisReplyScanner } from './redis-reply.js';

/** RESP2 and RESP3 replies of every type (protocol specification, "RESP data types"). */
const REPLIES = [
  '+OK\r\n',
  '-ERR something\r\n',
  ':-42\r\n',
  '$5\r\nhello\r\n',
  '$0\r\n\r\n',
  '$-1\r\n',
  '$2\r\n\r\n\r\n',
  '*0\r\n',
  '*-1\r\n',
  '*2\r\n$1\r\na\r\n*2\r\n:1\r\n*1\r\n$-1\r\n',
  '*3\r\n+a\r\n-b\r\n:3\r\n',
  '_\r\n',
  '#t\r\n',
  ',3.14\r\n',
  ',-inf\r\n',
  '%0\r\n',
  '~0\r\n',
  '*3\r\n_\r\n$1\r\na\r\n_\r\n',
  '%1\r\n~1\r\n_\r\n>1\r\n#f\r\n',
  '(3492890328409238509324850943850943825024385\r\n',
  '!21\r\nSYNTAX invalid syntax\r\n',
  '=15\r\ntxt:Some string\r\n',
  '%2\r\n+first\r\n:1\r\n+second\r\n*1\r\n+x\r\n',
  '~3\r\n+a\r\n+b\r\n:1\r\n',
  '>2\r\n+invalidate\r\n*1\r\n+k\r\n',
  '|1\r\n+key-popularity\r\n%1\r\n$1\r\na\r\n,0.19\r\n*2\r\n:1\r\n:2\r\n',
  '*2\r\n|1\r\n+ttl\r\n:3600\r\n:1\r\n:2\r\n',
  `+${'x'.repeat(200)}\r\n`,
];

function ends(scanner: RedisReplyScanner, bytes: Buffer, cuts: readonly number[]): number[] {
  const found: number[] = [];
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    while (at < cut) {
      at = scanner.scan(bytes, at, cut);
      expect(scanner.broken).toBe(false);
      if (scanner.complete) found.push(at);
    }
  }
  return found;
}

describe('reply scanner', () => {
  const stream = Buffer.from(REPLIES.join(''));
  const expected = REPLIES.map((_, i) => REPLIES.slice(0, i + 1).join('').length);

  it('finds every reply in one piece', () => {
    expect(ends(new RedisReplyScanner(), stream, [])).toEqual(expected);
  });

  it('finds every reply byte by byte and at every single cut', () => {
    const each = Array.from(stream, (_, i) => i);
    expect(ends(new RedisReplyScanner(), stream, each)).toEqual(expected);
    for (const cut of each) expect(ends(new RedisReplyScanner(), stream, [cut])).toEqual(expected);
  });

  it('finds every reply at random cuts', () => {
    const property = fc.property(fc.shuffledSubarray(REPLIES), fc.array(fc.nat(stream.length)), (list, cuts) => {
      const bytes = Buffer.from(list.join(''));
      const sorted = cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b);
      expect(ends(new RedisReplyScanner(), bytes, sorted)).toEqual(
        list.map((_, i) => list.slice(0, i + 1).join('').length),
      );
    });
    fc.assert(property, { seed: 1 });
  });

  it.each([
    'hello\r\n',
    '$x\r\n',
    '$\r\n',
    '*\r\n',
    '$-2\r\n',
    '*1x\r\n',
    '$3\r\nabcde',
    '\r\n',
    '$99999999999999\r\n',
  ])('calls %j broken', (text) => {
    const scanner = new RedisReplyScanner();
    const bytes = Buffer.from(text);
    let at = 0;
    while (at < bytes.length && !scanner.broken) at = scanner.scan(bytes, at, bytes.length);
    expect(scanner.broken).toBe(true);
  });

  it('stops at random bytes without running away', () => {
    const property = fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), (bytes) => {
      const scanner = new RedisReplyScanner();
      let at = 0;
      for (let steps = 0; at < bytes.length && !scanner.broken; steps++) {
        expect(steps).toBeLessThanOrEqual(bytes.length);
        at = scanner.scan(bytes, at, bytes.length);
      }
    });
    fc.assert(property, { seed: 2, numRuns: 1000 });
  });
});
