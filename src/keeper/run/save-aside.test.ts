/** Putting a data set aside, with a real Redis. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { type Kept, keep } from '../../../test/support/keeper.js';
import { leaveOut, needs } from '../../../test/support/needs.js';
import { startRedis } from '../../../test/support/redis-server.js';
import { tempDir } from '../../../test/support/temp-dir.js';
import { RedisLink } from '../../redis/link.js';
import { SaveAside } from './save-aside.js';

const cleanup = cleanupAfterEach();

beforeEach((context) => {
  needs(context, 'redis-server');
});

const savedIn = (directory: string): string[] => readdirSync(join(directory, 'saved')).sort();

async function startWithData(options: Parameters<typeof keep>[1] = {}): Promise<Kept> {
  const kept = await keep(cleanup, options);
  await kept.start();
  await kept.ask('REPLICAOF', 'NO', 'ONE');
  await kept.cli('SET', 'a', 'in the first');
  await kept.cli('SELECT', 0);
  return kept;
}

/** Saves by the core's order. @returns the path */
async function save(kept: Kept): Promise<string> {
  const count = kept.core.all('saved').length;
  kept.say({ do: 'save-aside', reason: 'a test' });
  return (await kept.input('saved', count + 1)).path;
}

/** A Redis that is started on a copy of a dump. */
async function restore(path: string) {
  const folder = tempDir(cleanup);
  cpSync(path, join(folder, 'dump.rdb'));
  const kept = await keep(cleanup, { directory: folder });
  await kept.start();
  return kept;
}

for (const appendonly of ['no', 'yes'] as const) {
  it(`gives a dump that holds the data, whatever comes later; appendonly ${appendonly}`, async () => {
    const config = join(tempDir(cleanup), 'redis.conf');
    writeFileSync(config, `appendonly ${appendonly}\ndbfilename other.rdb\nsave ""\n`);
    const kept = await startWithData({ settings: { config } });
    const path = await save(kept);
    expect(path).toMatch(new RegExp(`^${kept.directory}/saved/main-\\d{8}T\\d{6}\\.\\d{3}Z-\\d+\\.rdb$`));
    expect(kept.saved).toEqual([path]);
    expect(readdirSync(kept.directory)).toContain('other.rdb');
    await kept.cli('FLUSHALL');
    await kept.cli('SET', 'a', 'in the second');
    await kept.cli('SAVE');
    expect(await (await restore(path)).cli('GET', 'a')).toBe('in the first');
  });
}

it('does not take a dump for its own that was begun before', async () => {
  const kept = await startWithData();
  await kept.cli('CONFIG', 'SET', 'rdb-key-save-delay', 100_000);
  await kept.cli('BGSAVE');
  await kept.cli('SET', 'late', 'but not too late');
  await kept.cli('CONFIG', 'SET', 'rdb-key-save-delay', 0);
  const path = await save(kept);
  expect(await (await restore(path)).cli('GET', 'late')).toBe('but not too late');
});

it('keeps the newest, and touches nothing else', async () => {
  const kept = await startWithData();
  const folder = join(kept.directory, 'saved');
  mkdirSync(folder);
  const foreign = ['main-notes.rdb', 'other-20200101T000000.000Z-1.rdb'];
  const old = Array.from({ length: 7 }, (_, i) => `main-2020010${i + 1}T000000.000Z-${i}.rdb`);
  for (const name of [...foreign, ...old]) writeFileSync(join(folder, name), '');
  const path = await save(kept);
  expect(savedIn(kept.directory).map((name) => join(folder, name))).toEqual(
    [...old.slice(3), ...foreign]
      .map((name) => join(folder, name))
      .concat(path)
      .sort(),
  );
});

it('copies the files of a Redis that does not run', async () => {
  const config = join(tempDir(cleanup), 'redis.conf');
  writeFileSync(config, 'appendonly yes\nappendfsync always\n');
  const kept = await startWithData({ settings: { config } });
  kept.say({ do: 'kill-redis', reason: 'a test' });
  await kept.input('process-ended');
  const path = await save(kept);
  expect(readdirSync(path)).toEqual(['appendonlydir']);
  await kept.start();
  await kept.ask('REPLICAOF', 'NO', 'ONE');
  await kept.cli('FLUSHALL');
  const copy = tempDir(cleanup);
  cpSync(path, copy, { recursive: true });
  const restored = await keep(cleanup, { directory: copy, settings: { config } });
  await restored.start();
  expect(await restored.cli('GET', 'a')).toBe('in the first');
});

it('is done once for two who want it at the same time', async () => {
  const kept = await startWithData();
  kept.say({ do: 'save-aside', reason: 'a test' }, { do: 'save-aside', reason: 'a test' });
  await kept.input('saved', 2);
  expect(savedIn(kept.directory)).toHaveLength(1);
});

describe('a failure is told', () => {
  const failure = async (kept: Kept): Promise<string> => {
    kept.say({ do: 'save-aside', reason: 'a test' });
    return (await kept.input('save-failed')).why;
  };

  it('when there is nothing to save', async () => {
    expect(await failure(await keep(cleanup))).toMatch(/^there is no dump and no append-only file in /);
  });

  it('when Redis cannot write', async () => {
    const kept = await startWithData();
    mkdirSync(join(kept.directory, 'dump.rdb'));
    expect(await failure(kept)).toMatch(/could not write .*dump\.rdb \(status err\): see its log/);
  });

  it('when the disk is full', async (context) => {
    const folder = tempDir(cleanup);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tanist-test', folder], { encoding: 'utf8' });
    if (mounted.status !== 0) leaveOut(context, `a small disk needs root: ${mounted.error?.message ?? mounted.stderr}`);
    cleanup.add(() => spawnSync('umount', ['--lazy', folder]));
    const kept = await startWithData({ directory: folder });
    await kept.cli('CONFIG', 'SET', 'rdbcompression', 'no');
    await kept.cli('SET', 'large', 'x'.repeat(300_000));
    expect(await save(kept)).toContain('/saved/main-');
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(3_750_000));
    expect(await failure(kept)).toMatch(/saved has \d+ KiB left, and the dump may need \d+ KiB: make room there$/);
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(3_000_000));
    await kept.cli('SET', 'larger', 'y'.repeat(900_000));
    await kept.cli('SET', 'larger still', 'y'.repeat(900_000));
    kept.say({ do: 'save-aside', reason: 'a test' });
    expect((await kept.input('save-failed', 2)).why).toMatch(/could not write .*\(status err\): see its log/);
    expect(savedIn(folder)).toHaveLength(1);
    expect(await (await restore(join(folder, 'saved', savedIn(folder)[0] ?? ''))).cli('STRLEN', 'large')).toBe(300_000);
  });

  it('when it takes too long', async () => {
    const redis = await startRedis(cleanup, { config: { 'rdb-key-save-delay': 1_000_000 } });
    await redis.cli('SET', 'a', 'b');
    const link = new RedisLink({ to: { host: '127.0.0.1', port: redis.port }, connectTimeout_ms: 5_000 });
    cleanup.add(() => link.close());
    const aside = new SaveAside({
      group: 'main',
      directory: redis.dir,
      ask: (args, deadline_ms) => link.request(args, { deadline_ms }),
      isRunning: () => true,
      deadline_ms: 50,
    });
    await expect(aside.save()).rejects.toMatchObject({ code: 'ERR_SAVE_ASIDE', message: /in time/ });
    expect(statSync(join(redis.dir, 'saved')).isDirectory()).toBe(true);
    expect(savedIn(redis.dir)).toEqual([]);
  });
});
