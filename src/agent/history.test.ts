import { appendFile, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { tempDir } from '../../test/support/temp-dir.js';
import { HISTORY_FILE, History, type HistoryOptions, readEntry } from './history.js';
import type { HistoryEntry } from './view.js';

const cleanup = cleanupAfterEach();

function entry(text: string, changes: Partial<HistoryEntry> = {}): Omit<HistoryEntry, 'id'> {
  return { at: '2026-01-02T03:04:05.678Z', group: 'mymaster', host: 'a', epoch: 3, what: 'role', text, ...changes };
}

async function scene(options: Partial<HistoryOptions> = {}) {
  const directory = await tempDir(cleanup);
  const lines: string[] = [];
  const log = { write: (_level: string, line: string) => void lines.push(line) };
  const open = () => History.open({ directory, log, ...options });
  return { directory, path: join(directory, HISTORY_FILE), lines, open };
}

const texts = (history: History): string[] => history.list(null, 10_000).map(({ text }) => text);

describe('the history', () => {
  it('tells the newest entries, of one group or of all, oldest first', async () => {
    const { open } = await scene();
    const history = await open();
    for (const [text, group] of [
      ['1', 'x'],
      ['2', 'y'],
      ['3', 'x'],
      ['4', 'x'],
    ] as const) {
      history.add(entry(text, { group }));
    }
    expect(history.list('x', 2).map(({ text }) => text)).toEqual(['3', '4']);
    expect(history.list(null, 3).map(({ text }) => text)).toEqual(['2', '3', '4']);
    expect(history.list('z', 3)).toEqual([]);
    history.add(entry('5', { group: '' }));
    expect(history.list('y', 3).map(({ text }) => text)).toEqual(['2', '5']);
    await history.flush();
  });

  it('survives a restart, with ids that go on growing', async () => {
    const { open } = await scene();
    const first = await open();
    const told: number[] = [];
    const unsubscribe = first.subscribe(({ id }) => told.push(id));
    first.add(entry('one'));
    first.add(entry('two'));
    unsubscribe();
    first.add(entry('three'));
    await first.flush();
    const second = await open();
    expect(second.list(null, 10)).toEqual(first.list(null, 10));
    const { id } = second.add(entry('four'));
    await second.flush();
    expect(told).toHaveLength(2);
    expect(id).toBeGreaterThan(second.list(null, 10).at(-2)?.id ?? Number.POSITIVE_INFINITY);
  });

  it('is read wherever a crash has cut it off, and goes on after it', async () => {
    const { open, path } = await scene();
    const first = await open();
    for (const text of ['one', 'two', 'drei \u{1f511}']) first.add(entry(text));
    await first.flush();
    const whole = await readFile(path);
    for (let length = whole.length; length >= 0; length -= 7) {
      await writeFile(path, whole);
      await truncate(path, length);
      const cut = await open();
      const kept = texts(cut);
      expect(['one', 'two', 'drei \u{1f511}'].slice(0, kept.length)).toEqual(kept);
      cut.add(entry('after'));
      await cut.flush();
      expect(texts(await open())).toEqual([...kept, 'after']);
    }
  });

  it('leaves out lines of another kind, and says how many', async () => {
    const { open, path, lines } = await scene();
    const history = await open();
    history.add(entry('one'));
    await history.flush();
    await appendFile(path, 'rubbish\n{"id":1}\n[]\n\u0000\n');
    expect(texts(await open())).toEqual(['one']);
    expect(lines).toEqual([expect.stringContaining('4 lines cannot be read')]);
  });

  it('is bounded in memory and on the disk', async () => {
    const { open, path, directory } = await scene({ keptMax: 20, fileMax_bytes: 4_000 });
    const history = await open();
    for (let n = 0; n < 200; n += 1) {
      history.add(entry(`${n} ${'x'.repeat(5_000)}`));
      await history.flush();
    }
    expect(history.list(null, 1_000)).toHaveLength(20);
    expect(history.list(null, 1)[0]?.text).toHaveLength(1_000);
    expect((await readdir(directory)).sort()).toEqual([HISTORY_FILE, `${HISTORY_FILE}.1`]);
    for (const file of [path, `${path}.1`]) expect((await stat(file)).size).toBeLessThanOrEqual(4_000);
    const again = texts(await open());
    expect(again.at(-1)).toMatch(/^199 /);
    expect(again.length).toBeGreaterThan(2);
  });

  it('goes on in memory when the disk does not take it', async () => {
    const { open, path, lines } = await scene();
    await mkdir(path);
    const history = await open();
    history.add(entry('one'));
    await history.flush();
    history.add(entry('two'));
    await history.flush();
    expect(texts(history)).toEqual(['one', 'two']);
    expect(lines.filter((line) => line.includes('in memory only'))).toHaveLength(1);
  });

  it('takes any line at all without a fault', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        const read = readEntry(line);
        expect(read === null || typeof read.id === 'number').toBe(true);
      }),
    );
  });
});
