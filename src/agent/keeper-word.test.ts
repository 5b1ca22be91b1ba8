import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ErrorReply } from '../redis/reply.js';
import { printWord, readWord } from './keeper-word.js';

const word = {
  state: 'master',
  reason: 'the lease is held',
  lease_ms: 700,
  vips: ['10.0.0.100'],
  pid: 4711,
  keys: 3,
  offset: 42,
  version: '7.0.15',
  agent: '0.1.0',
} as const;

it('reads what another agent printed', () => {
  expect(readWord(printWord(word))).toEqual(word);
});

it('takes nothing else for a word', () => {
  expect(readWord(new ErrorReply('ERR unknown subcommand'))).toBeNull();
  expect(readWord(null)).toBeNull();
  expect(readWord(JSON.stringify({ ...word, state: 'emperor' }))).toBeNull();
  expect(readWord(JSON.stringify({ ...word, vips: [1] }))).toBeNull();
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => readWord(text) === null));
});
