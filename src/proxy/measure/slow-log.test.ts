import { expect, it } from 'vitest';
import { encodeRequest } from '../redis-encode.js';
import { SlowLog, wordsOf } from './slow-log.js';

const words = (bytes: Buffer): string[] => wordsOf(bytes).map(String);

it('keeps the newest, and numbers them on', () => {
  const log = new SlowLog();
  for (let took_us = 0; took_us < 5; took_us++) log.add({ at_s: 1, took_us, words: [], client: '' }, 3);
  expect(log.newest(2).map(({ id, took_us }) => [id, took_us])).toEqual([
    [4, 4],
    [3, 3],
  ]);
  expect([log.length, log.total]).toEqual([3, 5]);
  log.reset();
  log.add({ at_s: 1, took_us: 9, words: [], client: '' }, 0);
  expect([log.length, log.total]).toEqual([0, 6]);
});

it('describes only some of very many at a time, and counts them all', () => {
  const log = new SlowLog();
  const described = (at_ms: number): number =>
    Array.from({ length: 1000 }, () => log.describes(at_ms, 3)).filter(Boolean).length;
  expect(described(0)).toBe(128);
  expect(described(50)).toBe(0);
  expect(described(100)).toBe(128);
  expect(log.total).toBe(3000 - 256);
});

it('shows the words of a request, and says what is left out', () => {
  expect(words(encodeRequest(['SET', 'k', '']))).toEqual(['SET', 'k', '']);
  expect(words(encodeRequest(['SET', 'k', 'v'.repeat(130)]))[2]).toBe(`${'v'.repeat(128)}... (2 more bytes)`);
  const many = words(encodeRequest(['DEL', ...Array.from({ length: 40 }, (_, i) => String(i))]));
  expect(many.length).toBe(32);
  expect(many.slice(-2)).toEqual(['29', '... (10 more arguments)']);
  expect(words(Buffer.from('get a\r\n'))).toEqual(['get a']);
});

it('makes do with any part of a request', () => {
  const whole = encodeRequest(['SET', 'key', 'value']);
  for (let size = 0; size <= whole.length; size++) expect(words(whole.subarray(0, size)).length).toBeLessThanOrEqual(4);
  expect(words(whole.subarray(0, whole.length - 4))).toEqual(['SET', 'key', 'val... (2 more bytes)']);
  expect(words(whole.subarray(0, 16))).toEqual(['SET', '... (2 more arguments)']);
});
