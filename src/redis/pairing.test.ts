import { describe, expect, it } from 'vitest';
import { Pairing } from './pairing.js';
import { ErrorReply, PushReply, type Reply } from './reply.js';

function pairing(...requests: string[][]): Pairing<string> {
  const pairing = new Pairing<string>();
  for (const args of requests) pairing.sent(args, args.join(' '));
  return pairing;
}

const kinds = (of: Pairing<string>, protocol: 2 | 3, ...values: Reply[]): string[] =>
  values.map((value) => {
    const incoming = of.received(value, protocol);
    return incoming.kind === 'reply' ? `reply to ${incoming.tag}` : incoming.kind;
  });

describe('Pairing', () => {
  it('pairs in order, over many requests', () => {
    const pairs = new Pairing<number>();
    let answered = 0;
    for (let i = 0; i < 1000; i++) {
      pairs.sent(['PING'], i);
      if (i % 3 === 0) continue;
      expect(pairs.received('PONG', 2)).toEqual({ kind: 'reply', tag: answered++, reply: 'PONG' });
    }
    expect(pairs.size).toBe(1000 - answered);
    while (pairs.size > 0) expect(pairs.received('PONG', 2)).toMatchObject({ kind: 'reply', tag: answered++ });
    expect(pairs.received('PONG', 2)).toEqual({ kind: 'unasked', reply: 'PONG' });
  });

  it('answers a subscription by its last acknowledgement, RESP2', () => {
    const pairs = pairing(['GET', 'k'], ['SUBSCRIBE', 'a', 'b'], ['PING']);
    expect(
      kinds(
        pairs,
        2,
        ['message', 'not', 'one'],
        ['subscribe', 'a', 1],
        ['message', 'a', 'x'],
        ['subscribe', 'b', 2],
        ['pmessage', 'p*', 'b', 'y'],
        ['pong', ''],
        ['message', 'a', 'x'],
      ),
    ).toEqual([
      'reply to GET k',
      'partial',
      'message',
      'reply to SUBSCRIBE a b',
      'message',
      'reply to PING',
      'message',
    ]);
  });

  it('takes arrays for replies again when nothing is subscribed any more', () => {
    const pairs = pairing(['SUBSCRIBE', 'a'], ['UNSUBSCRIBE', 'a'], ['LRANGE', 'l', '0', '-1']);
    const wire: Reply[] = [
      ['subscribe', 'a', 1],
      ['unsubscribe', 'a', 0],
      ['message', 'a', 'b'],
    ];
    expect(kinds(pairs, 2, ...wire)).toEqual([
      'reply to SUBSCRIBE a',
      'reply to UNSUBSCRIBE a',
      'reply to LRANGE l 0 -1',
    ]);
  });

  it('takes only pushes for messages under RESP3', () => {
    const pairs = pairing(['SUBSCRIBE', 'a'], ['LRANGE', 'l', '0', '-1']);
    expect(
      kinds(
        pairs,
        3,
        new PushReply(['subscribe', 'a', 1]),
        new PushReply(['invalidate', ['k']]),
        ['message', 'a', 'b'],
        new PushReply(['message', 'a', 'b']),
      ),
    ).toEqual(['reply to SUBSCRIBE a', 'push', 'reply to LRANGE l 0 -1', 'message']);
  });

  it('gives message, channel and pattern', () => {
    const pairs = pairing(['PSUBSCRIBE', 'p*']);
    pairs.received(['psubscribe', 'p*', 1], 2);
    expect(pairs.received(['pmessage', 'p*', 'px', 'text'], 2)).toEqual({
      kind: 'message',
      channel: 'px',
      message: 'text',
      pattern: 'p*',
    });
  });

  it('answers a refused subscription by the error, once', () => {
    const pairs = pairing(['SUBSCRIBE', 'a', 'b'], ['PING']);
    expect(kinds(pairs, 2, new ErrorReply('NOPERM'), 'PONG')).toEqual(['reply to SUBSCRIBE a b', 'reply to PING']);
  });

  it('takes the end of a subscription that nobody asked for as a push', () => {
    const pairs = pairing(['SSUBSCRIBE', 'a'], ['PING']);
    expect(kinds(pairs, 2, ['ssubscribe', 'a', 1], ['sunsubscribe', 'a', 0], 'PONG')).toEqual([
      'reply to SSUBSCRIBE a',
      'push',
      'reply to PING',
    ]);
  });

  it('refuses an UNSUBSCRIBE without channels, whose answers cannot be counted', () => {
    expect(() => pairing(['UNSUBSCRIBE'])).toThrow('names its channels');
  });
});
