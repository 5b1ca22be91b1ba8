import { expect, it } from 'vitest';
import { OffsetHistory } from './offset-history.js';

it('dates what a replica has by what its master had', () => {
  const history = new OffsetHistory(5_000);
  expect(history.asOf_ms(100)).toBe(Number.NEGATIVE_INFINITY);
  history.note(1_000, 100);
  history.note(2_000, 150);
  history.note(3_000, 150);
  expect(history.asOf_ms(99)).toBe(Number.NEGATIVE_INFINITY);
  expect(history.asOf_ms(100)).toBe(1_000);
  expect(history.asOf_ms(149)).toBe(1_000);
  expect(history.asOf_ms(150)).toBe(3_000);
  expect(history.asOf_ms(999)).toBe(3_000);
});

it('forgets what is too long ago, and everything when offsets begin anew', () => {
  const history = new OffsetHistory(5_000);
  history.note(1_000, 100);
  history.note(7_000, 200);
  expect(history.asOf_ms(150)).toBe(Number.NEGATIVE_INFINITY);
  history.note(8_000, 50);
  expect(history.asOf_ms(200)).toBe(8_000);
  expect(history.asOf_ms(49)).toBe(Number.NEGATIVE_INFINITY);
});
