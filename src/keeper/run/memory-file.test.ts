import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { tempDir } from '../../../test/support/temp-dir.js';
import { NO_MEMORY } from '../core/state.js';
import { MemoryFile } from './memory-file.js';

const cleanup = cleanupAfterEach();
const memory = { role: 'master', epoch: 7, replId: 'abc', offset: 12, keys: 3 } as const;

function open(directory = tempDir(cleanup)) {
  const logs: string[] = [];
  return { file: new MemoryFile(directory, 'main', (_level, text) => logs.push(text)), directory, logs };
}

it('remembers nothing at first, and then what was written', () => {
  const { file, directory, logs } = open();
  expect(file.load()).toEqual(NO_MEMORY);
  file.save(memory);
  expect(open(directory).file.load()).toEqual(memory);
  expect(logs).toEqual([]);
});

it('remembers nothing of a damaged file, and keeps that aside', () => {
  const { file, logs } = open();
  file.save(memory);
  appendFileSync(file.path, 'x');
  expect(file.load()).toEqual(NO_MEMORY);
  expect(logs).toEqual([expect.stringContaining('is damaged; it is set aside')]);
  expect(readFileSync(`${file.path}.damaged`, 'utf8')).toMatch(/"offset":12.*\nx$/);
  expect(file.load()).toEqual(NO_MEMORY);
  expect(logs).toHaveLength(1);
});

it('complains once while it cannot be written, and goes on', () => {
  const { file, logs } = open();
  mkdirSync(file.path);
  file.save(memory);
  file.save(memory);
  expect(logs).toHaveLength(1);
});

it('writes the last of several in the background, and leaves nothing else behind', async () => {
  const { file, directory, logs } = open();
  for (let epoch = 1; epoch <= 7; epoch++) file.saveSoon({ ...memory, epoch });
  await file.flushed();
  expect(open(directory).file.load()).toEqual(memory);
  expect(readdirSync(directory)).toEqual(['main.keeper.json']);
  expect(logs).toEqual([]);
});

it('does not let what was begun before be the last', async () => {
  const { file, directory } = open();
  file.saveSoon({ ...memory, epoch: 6 });
  file.save(memory);
  expect(open(directory).file.load()).toEqual(memory);
  await file.flushed();
  expect(open(directory).file.load()).toEqual(memory);
});

it('never puts back what was begun before, not for a moment', async () => {
  const { file, directory } = open();
  file.saveSoon({ ...memory, epoch: 6 });
  file.save(memory);
  let isFlushed = false;
  void file.flushed().then(() => {
    isFlushed = true;
  });
  const seen = new Set<number>();
  while (!isFlushed) {
    seen.add(open(directory).file.load().epoch);
    await setImmediate();
  }
  expect([...seen]).toEqual([7]);
  expect(readdirSync(directory)).toEqual(['main.keeper.json']);
});

it('writes in the background again after that', async () => {
  const { file, directory } = open();
  file.saveSoon({ ...memory, epoch: 5 });
  file.save({ ...memory, epoch: 6 });
  file.saveSoon(memory);
  await file.flushed();
  expect(open(directory).file.load()).toEqual(memory);
});

it('is not kept from writing by what an agent that was killed has left', async () => {
  const { file, directory } = open();
  writeFileSync(`${file.path}.tmp`, 'half of');
  file.saveSoon(memory);
  await file.flushed();
  expect(open(directory).file.load()).toEqual(memory);
});

it('complains once of what cannot be written in the background, too', async () => {
  const { file, logs } = open();
  mkdirSync(file.path);
  for (let time = 0; time < 2; time++) {
    file.saveSoon(memory);
    await file.flushed();
  }
  expect(logs).toHaveLength(1);
});
