import { expect, it } from 'vitest';
import { BufferPool } from './bytes.js';
import { SentRequests } from './sent-requests.js';

const SIZE_BYTES = 4096;

/** Buffers sent one after the other, and what was given back to the pool of them. */
function sentOf(limit_bytes: number, fills: readonly number[]) {
  const pool = new BufferPool();
  const sent = new SentRequests(limit_bytes, pool);
  fills.forEach((fill, i) => {
    sent.add(Buffer.alloc(SIZE_BYTES, fill), i * SIZE_BYTES, SIZE_BYTES);
  });
  return { pool, sent };
}

it('has the bytes of what is not answered', () => {
  const { pool, sent } = sentOf(3 * SIZE_BYTES, [1, 2, 3]);
  expect(sent.copy(SIZE_BYTES - 1, SIZE_BYTES)).toEqual(Buffer.from([1]));
  expect(sent.copyHead(SIZE_BYTES - 2, 10)).toEqual(Buffer.from([1, 1]));
  expect(sent.copyHead(SIZE_BYTES, 3)).toEqual(Buffer.from([2, 2, 2]));
  sent.answered(SIZE_BYTES);
  expect(sent.copy(0, 1)).toBeNull();
  expect(sent.copyHead(0, 1).length).toBe(0);
  expect(pool.take(SIZE_BYTES)[0]).toBe(1);
});

it('lets the oldest go beyond its limit, but never the newest, which is being written', () => {
  const { pool, sent } = sentOf(SIZE_BYTES, [1, 2]);
  expect(sent.copy(0, 1)).toBeNull();
  expect(sent.copy(SIZE_BYTES, SIZE_BYTES + 1)).toEqual(Buffer.from([2]));
  expect(pool.take(SIZE_BYTES)[0]).toBe(1);
  const none = sentOf(0, [7]);
  expect(none.sent.copy(0, 1)).toEqual(Buffer.from([7]));
});
