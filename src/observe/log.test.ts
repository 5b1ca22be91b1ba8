import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { formatLine, journalLine, Log } from './log.js';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tanist-log-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it("writes Redis's line", () => {
  const at = new Date(2026, 10, 3, 4, 5, 6, 7);
  expect(formatLine(42, at, 'warning', '+sdown master m 127.0.0.1 6379')).toBe(
    '42:X 03 Nov 2026 04:05:06.007 # +sdown master m 127.0.0.1 6379\n',
  );
});

it('marks each level as Redis does', () => {
  const mark = (level: 'debug' | 'verbose' | 'notice' | 'warning') =>
    /\.\d{3} (.) x\n$/.exec(formatLine(1, new Date(), level, 'x'))?.[1];
  expect([mark('debug'), mark('verbose'), mark('notice'), mark('warning')]).toEqual(['.', '-', '*', '#']);
});

it('leaves time and pid to the journal, and tells it the level', () => {
  const levels = ['debug', 'verbose', 'notice', 'warning'] as const;
  expect(levels.map((level) => journalLine(level, 'x'))).toEqual(['<7>. x\n', '<6>- x\n', '<5>* x\n', '<4># x\n']);
  expect(journalLine('notice', 'a\n<0>forged')).toBe('<5>* a <0>forged\n');
});

it('keeps text from outside on its own line, and bounded', () => {
  const line = formatLine(1, new Date(), 'notice', 'a\r\n1:X forged \u001b[2J');
  expect(line.split('\n')).toHaveLength(2);
  expect(line).not.toContain('\u001b');
  expect(formatLine(1, new Date(), 'notice', 'x'.repeat(100_000)).length).toBeLessThan(5_000);
});

it('drops what is below its level', () => {
  const file = join(dir, 'a.log');
  const log = new Log({ level: 'warning', file });
  log.write('notice', 'unseen');
  log.write('warning', 'seen');
  expect(readFileSync(file, 'utf8')).toMatch(/^\d+:X .* # seen\n$/);
});

it('goes on in a new file when its file is renamed', () => {
  const file = join(dir, 'a.log');
  const log = new Log({ level: 'notice', file });
  log.write('notice', 'one');
  renameSync(file, `${file}.1`);
  log.write('notice', 'two');
  expect(readFileSync(`${file}.1`, 'utf8')).toContain('one');
  expect(readFileSync(file, 'utf8')).toMatch(/ \* two\n$/);
});

it('does not fail when the file cannot be written', () => {
  const log = new Log({ level: 'notice', file: join(dir, 'missing', 'a.log') });
  log.write('notice', 'lost');
});
