import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { tempDir } from '../../test/support/temp-dir.js';
import { commands } from './commands.js';
import { runProgram } from './program.js';

const cleanup = cleanupAfterEach();
const fixtures = fileURLToPath(new URL('../../test/fixtures/', import.meta.url));

afterEach(() => {
  // A command leaves its exit code there, and the test run would end with it.
  process.exitCode = undefined;
});

async function tanist(...args: string[]) {
  let out = '';
  let err = '';
  const output = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
  };
  process.exitCode = undefined;
  const code = await runProgram(args, commands, output);
  return { code, out, err };
}

const ARTICLES: readonly (readonly string[])[] = [
  ['keepalived/redis-pair-master.conf', 'keepalived/redis-pair-backup.conf'],
  ['keepalived/redis-unicast-master.conf', 'keepalived/redis-unicast-backup.conf'],
  ['seeds/002-sentinel.conf', 'seeds/002-nutcracker.yml'],
  ['seeds/004-sentinel.conf', 'keepalived/redis-sentinel-master.conf', 'keepalived/redis-sentinel-backup.conf'],
];

describe('tanist import', () => {
  it.each(ARTICLES)('writes what tanist check takes: %s', async (...names) => {
    const file = join(tempDir(cleanup), 'tanist.yml');
    const files = names.filter((name) => name !== undefined).map((name) => fixtures + name);
    const imported = await tanist('import', ...files, '-o', file);
    expect(imported).toMatchObject({ code: 0, out: '' });
    expect(imported.err).toContain('Not carried over\n');
    expect(await tanist('check', file)).toMatchObject({ code: 0, err: '' });
    // The file is what the standard output would have had.
    expect((await tanist('import', ...files)).out).toBe(readFileSync(file, 'utf8'));
  });

  it('keeps its file from others, and overwrites none', async () => {
    const dir = tempDir(cleanup);
    const [conf, file] = [join(dir, 's.conf'), join(dir, 'tanist.yml')];
    writeFileSync(conf, 'sentinel monitor m 10.0.0.1 6379 2\nsentinel auth-pass m hunter2\n');
    const { code, err } = await tanist('import', conf, '-o', file, '--host', 'two=10.0.0.2', '--host', '10.0.0.3');
    expect(code).toBe(0);
    expect(err).not.toContain('hunter2');
    expect(readFileSync(file, 'utf8')).toContain('password: hunter2');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await tanist('import', conf, '-o', file);
    expect(again.code).toBe(1);
    expect(again.err).toContain('EEXIST');
  });

  it('says which file it cannot use, and writes nothing', async () => {
    const dir = tempDir(cleanup);
    const [conf, file] = [join(dir, 's.conf'), join(dir, 'tanist.yml')];
    writeFileSync(conf, 'sentinel monitor m 10.0.0.1 6379 x\n');
    const refused = await tanist('import', conf, '-o', file);
    expect(refused).toMatchObject({ code: 3, out: '' });
    expect(refused.err).toContain(`${conf}:1:34: `);
    expect(existsSync(file)).toBe(false);
    expect((await tanist('import', join(dir, 'none'))).code).toBe(3);
    expect((await tanist('import', conf, '--host', 'db1')).code).toBe(2);
    expect((await tanist('import')).code).toBe(2);
  });
});
