import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { isAlive, KILLED_MS, killProcess, type ProcessId, processId, untilGone } from './process-id.js';

async function started(): Promise<{ readonly child: ChildProcess; readonly id: ProcessId }> {
  const child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); setInterval(() => {}, 1e6)']);
  await once(child.stdout, 'data');
  const id = processId(child.pid ?? 0);
  if (id === null) throw new Error('it has ended');
  return { child, id };
}

describe('a process', () => {
  it('is known until it ends', async () => {
    const { child, id } = await started();
    expect(isAlive(id)).toBe(true);
    expect(await untilGone(id, 0)).toBe(false);
    killProcess(id);
    expect(await untilGone(id, KILLED_MS, child)).toBe(true);
    expect(child.signalCode).toBe('SIGKILL');
    expect(isAlive(id)).toBe(false);
    expect(processId(id.pid)).toBeNull();
  });

  it.each([
    ['was started at another time', { startTicks: 1 }],
    ['was started before this boot', { bootId: '00000000-0000-0000-0000-000000000000' }],
  ])('is not taken for one of the same pid that %s, nor ended in its place', async (_, other) => {
    const { child, id } = await started();
    const stranger = { ...id, ...other };
    expect(isAlive(stranger)).toBe(false);
    killProcess(stranger);
    expect(await untilGone(stranger, 0)).toBe(true);
    expect(isAlive(id)).toBe(true);
    killProcess(id);
    expect(await untilGone(id, KILLED_MS, child)).toBe(true);
  });
});
