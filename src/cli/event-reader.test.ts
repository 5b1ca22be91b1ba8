import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventReader } from './event-reader.js';

const stream =
  'retry: 2000\n\n: still here\n\nid: a-1\nevent: role\ndata: {"text":"x"}\n\ndata: one\r\ndata:two\r\n\r\nid: a-2\n\n' +
  'event: gap\ndata: {}\n\n';

describe('the reader of events', () => {
  it('gives the same events however the stream is cut', () => {
    const whole = new EventReader().feed(stream);
    expect(whole).toEqual([
      { id: 'a-1', event: 'role', data: '{"text":"x"}' },
      { id: 'a-1', event: 'message', data: 'one\ntwo' },
      { id: 'a-2', event: 'gap', data: '{}' },
    ]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length })), (cuts) => {
        const reader = new EventReader();
        const at = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const pieces = at.slice(1).map((end, index) => stream.slice(at[index], end));
        expect(pieces.flatMap((piece) => reader.feed(piece))).toEqual(whole);
      }),
    );
  });

  it('refuses a line without an end', () => {
    const reader = new EventReader();
    expect(() => {
      for (let n = 0; n < 20; n += 1) reader.feed('x'.repeat(100_000));
    }).toThrow('does not end');
  });
});
