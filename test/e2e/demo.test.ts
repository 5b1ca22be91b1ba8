/** The demo as a user runs it, without a terminal. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { startChild } from '../support/child.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { requirePeer } from '../support/peers.js';
import { tanistPath } from '../support/tanist.js';
import { tempDir } from '../support/temp-dir.js';

const cleanup = cleanupAfterEach();

it('causes the faults of a script, says how each ended, and leaves nothing behind', async () => {
  const tmp = tempDir(cleanup);
  const args = ['demo', '--redis-server', requirePeer('redis-server').path, '--script', 'k,r,s', '--exit'];
  const child = startChild({ command: tanistPath, args, env: { TMPDIR: tmp } }, cleanup);
  expect(await child.exited).toEqual({ code: 0, signal: null });
  const lines = child.output.split('\n').filter((line) => /^[krs] {2}/.test(line));
  expect(lines.map((line) => line[0])).toEqual(['k', 'r', 's']);
  const read = lines.map((line) => Number(/ of ([\d,]+) acknowledged writes lost$/.exec(line)?.[1]?.replace(',', '')));
  read.forEach((count, index) => {
    expect(count).toBeGreaterThanOrEqual(500 * (index + 1));
  });
  expect(readdirSync(tmp)).toEqual([]);
});

it('ends on SIGINT while it starts', async () => {
  const tmp = tempDir(cleanup);
  const args = ['demo', '--redis-server', requirePeer('redis-server').path];
  const child = startChild({ command: tanistPath, args, env: { TMPDIR: tmp } }, cleanup);
  await child.untilOutput(/starting three Redis/);
  child.kill('SIGINT');
  expect(await child.exited).toEqual({ code: 130, signal: null });
  expect(readdirSync(tmp)).toEqual([]);
});

it('says in a sentence that there is no Redis', async () => {
  const ended = await new Promise<{ code: unknown; err: string }>((resolve) => {
    const args = ['demo', '--redis-server', '/no/such/redis', '--script', 'k', '--exit'];
    execFile(tanistPath, args, (error, _out, err) => resolve({ code: error?.code, err }));
  });
  expect(ended.code).toBe(1);
  expect(ended.err).toMatch(/tanist demo: \/no\/such\/redis cannot be run: there is no such program\n {2}fix: .*\n$/);
});
