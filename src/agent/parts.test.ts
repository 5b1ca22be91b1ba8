import { expect, it } from 'vitest';
import { Parts } from './parts.js';

it('tells what took how long, also what failed or was not there', async () => {
  let now = 100;
  const parts = new Parts(() => now);
  const pass = async (ms: number): Promise<void> => {
    now += ms;
  };
  await parts.take('hand-over', pass(0));
  await parts.take(
    'keepers',
    Promise.resolve().then(() => pass(12.4)),
  );
  await parts.take('proxy', undefined);
  const failure = Promise.resolve().then(async () => {
    await pass(3);
    throw new Error('gone');
  });
  await expect(parts.take('API', failure)).rejects.toThrow('gone');
  expect(String(parts)).toBe('15 ms (hand-over 0, keepers 12, proxy 0, API 3)');
});
