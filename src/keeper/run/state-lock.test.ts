import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { tempDir } from '../../../test/support/temp-dir.js';
import { until } from '../../../test/support/until.js';
import { StateLock, StateLockedError } from './state-lock.js';

const cleanup = cleanupAfterEach();

it('refuses a second holder, and says who the first is', () => {
  const directory = join(tempDir(cleanup), 'made', 'here');
  const first = new StateLock(directory);
  const second = () => new StateLock(directory);
  expect(second).toThrow(StateLockedError);
  expect(second).toThrow(`${directory} is in use by another agent (process ${process.pid}): end that one first`);
  first.release();
  second().release();
});

it('lets go when its holder is killed', async () => {
  const directory = tempDir(cleanup);
  const script = fileURLToPath(new URL('../../../test/support/lock-and-wait.ts', import.meta.url));
  const holder = spawn(process.execPath, ['--import', 'tsx', script, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanup.add(() => holder.kill('SIGKILL'));
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  expect(() => new StateLock(directory)).toThrow(`process ${holder.pid}`);
  holder.kill('SIGKILL');
  const lock = await until(() => new StateLock(directory), { what: 'the lock' });
  lock.release();
});
