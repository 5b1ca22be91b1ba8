import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemcachedReplyScanner } from './memcached-reply.js';
import { MemcachedRequestFrame } from './memcached-request.js';
import { COMPLETE, INCOMPLETE, MALFORMED } from './redis-request.js';

const REQUESTS = [
  'get a\r\n',
  'gets a b  c \r\n',
  'set a 0 0 5\r\nhello\r\n',
  'set a 0 0 0 noreply\r\n\r\n',
  'cas a 1 2 3 99\r\n\r\n\n\r\n',
  'incr a 1\r\n',
  'delete a noreply\r\n',
  'touch a 10\n',
  'version\r\n',
  '\r\n',
];

const REPLIES = [
  'STORED\r\n',
  'END\r\n',
  'VALUE a 0 5\r\nhello\r\nEND\r\n',
  'VALUE a 0 0 77\r\n\r\nVALUE b 1 7\r\nEND\r\nEN\r\nEND\r\n',
  '42\r\n',
  '7  \r\n',
  'SERVER_ERROR out of memory\r\n',
  'VERSION 1.6.18\r\n',
  'NOT_FOUND\r\n',
];

function lengths(parts: readonly string[]): number[] {
  return parts.map((_, i) => parts.slice(0, i + 1).join('').length);
}

describe('memcached requests', () => {
  it('are framed whole and are incomplete at every cut', () => {
    const frame = new MemcachedRequestFrame();
    for (const text of REQUESTS) {
      const bytes = Buffer.from(`..${text}..`);
      expect(frame.parse(bytes, 2, bytes.length)).toBe(COMPLETE);
      expect(frame.end).toBe(2 + text.length);
      for (let cut = 0; cut < text.length; cut++) {
        expect(frame.parse(bytes, 2, 2 + cut)).toBe(INCOMPLETE);
        expect(frame.need_bytes).toBeGreaterThan(cut);
        expect(frame.need_bytes).toBeLessThanOrEqual(text.length);
      }
    }
  });

  it('say whether a reply will come', () => {
    const frame = new MemcachedRequestFrame();
    const silent = REQUESTS.map((text) => {
      frame.parse(Buffer.from(text), 0, text.length);
      return frame.silent;
    });
    expect(silent).toEqual([false, false, false, true, false, false, true, false, false, false]);
  });

  it.each([
    'set a 0 0\r\n',
    'set a 0 0 x\r\n',
    'set a 0 0 1\r\nab\r\n',
    'set a 0 0 99999999999\r\n',
    'cas a 0 0 1\r\nx\r\n',
  ])('are refused when data cannot be found: %j', (text) => {
    expect(new MemcachedRequestFrame().parse(Buffer.from(text), 0, text.length)).toBe(MALFORMED);
  });
});

describe('memcached replies', () => {
  it('end where they end, at whatever bytes the stream is cut', () => {
    const property = fc.property(fc.shuffledSubarray(REPLIES), fc.array(fc.nat(200)), (list, at) => {
      const bytes = Buffer.from(list.join(''));
      const scanner = new MemcachedReplyScanner();
      const cuts = [...at.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      const found: number[] = [];
      let position = 0;
      for (const cut of cuts) {
        while (position < cut) {
          position = scanner.scan(bytes, position, cut);
          expect(scanner.broken).toBe(false);
          if (scanner.complete) found.push(position);
        }
      }
      expect(found).toEqual(lengths(list));
    });
    fc.assert(property, { seed: 1 });
  });

  it.each(['hello\r\n', 'VALUE a 0 x\r\n', 'VALUE a 0 1\r\nabc', 'x'.repeat(3000), '+OK\r\n', '\r\n'])(
    'are garbage: %j',
    (text) => {
      const scanner = new MemcachedReplyScanner();
      let at = 0;
      while (at < text.length && !scanner.broken && !scanner.complete)
        at = scanner.scan(Buffer.from(text), at, text.length);
      expect(scanner.broken).toBe(true);
    },
  );
});
