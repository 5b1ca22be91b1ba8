import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { tempDir } from '../../test/support/temp-dir.js';
import { readTanistConfig } from '../config/tanist/read.js';
import { votersApart } from './file-word.js';
import { rememberRun, stepFromLastRun, VoterChangeError } from './last-run.js';

const cleanup = cleanupAfterEach();

/** A start that comes to nothing. */
function look(stateDirectory: string, names: string, more = '') {
  const hosts = [...names].map((name, index) => `${name}: 10.0.0.${index + 1}`);
  const config = readTanistConfig(`hosts: {${hosts.join(', ')}}\n${more}`, 'tanist.yml');
  const [self] = config.hosts;
  if (self === undefined) throw new Error('no host');
  const ours = { ...config, stateDirectory };
  return { ours, before: stepFromLastRun(ours, self) };
}

function start(stateDirectory: string, names: string, more = '') {
  const { ours, before } = look(stateDirectory, names, more);
  rememberRun(ours, before);
  return before;
}

it('lets one host come or go at a time, and remembers only what it took', () => {
  const dir = tempDir(cleanup);
  expect(start(dir, 'abc')).toBeNull();
  expect(() => start(dir, 'abcde')).toThrow(
    /^tanist\.yml: the hosts are a, b, c, d, e, and .* last ran with a, b, c: /,
  );
  expect(start(dir, 'abcd')).toEqual({ mode: 'quorum', voters: ['a', 'b', 'c'] });
  start(dir, 'abcde');
  start(dir, 'abce');
  // One goes and another comes: {a, b, c} and {c, e, f} could both be majorities.
  expect(() => start(dir, 'abcf')).toThrow(/two majorities could lead at once\n {2}fix: change one host/);
  start(dir, 'abc');
});

it('remembers no start that has failed', () => {
  const dir = tempDir(cleanup);
  look(dir, 'abc');
  expect(look(dir, 'abc').before).toBeNull();
  start(dir, 'abc');
  look(dir, 'abcd');
  expect(() => look(dir, 'abcde')).toThrow(VoterChangeError);
  expect(look(dir, 'abcd').before?.voters).toEqual(['a', 'b', 'c']);
});

it('lets an operator who knows better start anew', () => {
  const dir = tempDir(cleanup);
  start(dir, 'abc');
  expect(() => start(dir, 'a')).toThrow(join(dir, 'last-run.json'));
  rmSync(join(dir, 'last-run.json'));
  start(dir, 'a');
  expect(existsSync(join(dir, 'last-run.json'))).toBe(true);
  // Alone by its own file, it is the one whose word counts.
  start(dir, 'abc');
});

it('leaves pairs out of it, and remembers that there was one', () => {
  const dir = tempDir(cleanup);
  start(dir, 'ab', 'mode: pair\nvip: 10.0.0.9/24\n');
  expect(start(dir, 'abcd')?.mode).toBe('pair');
});

it('is right about majorities: lists one host apart have none without a common host, others may', () => {
  const all = [...'abcdef'];
  const subsets = Array.from({ length: 2 ** all.length }, (_, bits) => all.filter((_each, i) => bits & (1 << i)));
  const majorities = (list: readonly string[]) =>
    subsets.filter((set) => set.length > list.length / 2 && set.every((each) => list.includes(each)));
  const lists = subsets.filter((list) => list.length > 0);
  const areDisjoint = (one: readonly string[], other: readonly string[]) => one.every((each) => !other.includes(each));
  const canPart = (one: readonly string[], other: readonly string[]) =>
    majorities(one).some((left) => majorities(other).some((right) => areDisjoint(left, right)));
  for (const one of lists) {
    for (const other of lists) if (votersApart(one, other) < 2) expect(canPart(one, other)).toBe(false);
  }
  expect(canPart([...'abc'], [...'abcde'])).toBe(true);
  expect(canPart([...'abc'], [...'abd'])).toBe(true);
});
