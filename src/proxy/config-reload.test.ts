import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { tempDir } from '../../test/support/temp-dir.js';
import { until } from '../../test/support/until.js';
import { ConfigReload } from './config-reload.js';

const cleanup = cleanupAfterEach();

const good = (name: string): string => `${name}:\n  listen: 127.0.0.1:1\n  servers:\n   - 127.0.0.1:6379:1\n`;

/** A file under watch, the pools that were put into effect, and the complaints. */
function watched(text: string) {
  const file = join(tempDir(cleanup), 'p.yml');
  writeFileSync(file, text);
  const applied: string[] = [];
  const errors: string[] = [];
  const reload = new ConfigReload({
    file,
    text,
    log: { error: (line) => errors.push(line), notice: () => {} },
    apply: (config) => {
      const names = config.pools.map(({ name }) => name).join();
      if (names === 'taken') return Promise.reject(new Error('address in use'));
      applied.push(names);
      return Promise.resolve();
    },
  });
  cleanup.add(() => reload.stop());
  reload.watch();
  return { file, applied, errors, reload };
}

it('takes a file that was written, and one that was put in its place, once each', async () => {
  const { file, applied, errors } = watched(good('a'));
  writeFileSync(file, good('b'));
  await until(() => applied.length === 1, { what: 'the written file' });
  writeFileSync(`${file}.new`, good('c'));
  renameSync(`${file}.new`, file);
  await until(() => applied.length === 2, { what: 'the renamed file' });
  writeFileSync(join(file, '..', 'target'), good('d'));
  rmSync(file);
  symlinkSync('target', file);
  await until(() => applied.length === 3, { what: 'the linked file' });
  expect(applied).toEqual(['b', 'c', 'd']);
  expect(errors.filter((line) => !line.includes('ENOENT'))).toEqual([]);
});

it('says once what is wrong with a file, goes on as before, and takes the corrected one', async () => {
  const { file, applied, errors, reload } = watched(good('a'));
  writeFileSync(file, `${good('a')}  oops: 1\n`);
  await until(() => errors.length === 1, { what: 'the complaint' });
  expect(errors[0]).toContain(`configuration unchanged: ${file}:5:3: unknown key 'oops'`);
  // The same text written again is no news.
  writeFileSync(file, `${good('a')}  oops: 1\n`);
  rmSync(file);
  await until(() => errors.length === 2, { what: 'the complaint about a file that is gone' });
  expect(errors[1]).toContain('ENOENT');
  writeFileSync(file, good('taken'));
  await until(() => errors.length === 3, { what: 'the complaint about an address' });
  expect(errors[2]).toContain('address in use');
  expect(applied).toEqual([]);
  writeFileSync(file, good('a'));
  await until(() => applied.length === 1, { what: 'the corrected file' });
  // On request it is read even when it is the same.
  await reload.now();
  expect(applied).toEqual(['a', 'a']);
});
