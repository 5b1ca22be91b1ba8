/** Nothing of a stage is left, whatever ends its program. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { startChild } from '../../support/child.js';
import { cleanupAfterEach } from '../../support/cleanup-after-each.js';
import { until } from '../../support/until.js';
import { needsLab } from '../lab.js';
import { run } from '../netns.js';

const ABANDONED = fileURLToPath(new URL('./abandoned-stage.ts', import.meta.url));
const cleanup = cleanupAfterEach();
beforeEach((context) => needsLab(context));

const mountedBelow = (folder: string): boolean => readFileSync('/proc/mounts', 'utf8').includes(` ${folder}/`);

describe('a stage', () => {
  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('is gone when its program ends by %s', async (signal) => {
    const child = startChild({ command: process.execPath, args: ['--import', 'tsx', ABANDONED] }, cleanup);
    const [, text = ''] = await child.untilOutput(/stage: (.*)/);
    const { folder, namespaces } = JSON.parse(text) as { folder: string; namespaces: string[] };
    const [a = ''] = namespaces;
    expect(mountedBelow(folder)).toBe(true);
    const pids = (): string[] =>
      run('ip', ['netns', 'pids', a])
        .split('\n')
        .filter((pid) => pid !== '');
    const [pid] = await until(() => (pids().length > 0 ? pids() : null), { what: 'the process in the host' });
    child.kill(signal);
    await child.exited;
    const listed = (): boolean => namespaces.some((name) => run('ip', ['netns', 'list']).includes(`${name}`));
    await until(() => !existsSync(folder) && !mountedBelow(folder) && !listed() && !existsSync(`/proc/${pid}`), {
      what: 'everything to be gone',
    });
  });
});
