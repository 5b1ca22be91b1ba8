import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { NotifySocket } from '../../test/support/notify-socket.js';
import { until } from '../../test/support/until.js';
import { serviceManager } from './service-manager.js';

const cleanup = cleanupAfterEach();
const noTrouble = (trouble: string): void => expect.fail(trouble);

describe('the service manager', () => {
  it.each([
    ['a path', false],
    ['an abstract name', true],
  ])('is told by %s how the service stands', async (_, abstract) => {
    const socket = new NotifySocket(cleanup, abstract);
    const manager = await serviceManager(noTrouble, { NOTIFY_SOCKET: socket.path });
    manager.ready('serves 2\npools');
    manager.status('b leads');
    const before_us = process.hrtime.bigint() / 1000n;
    manager.reloading();
    manager.stopping('SIGTERM');
    const [ready, status, reloading, stopping] = socket.heard;
    expect([ready, status, stopping]).toEqual([
      'READY=1\nSTATUS=serves 2; pools',
      'STATUS=b leads',
      'STOPPING=1\nSTATUS=SIGTERM',
    ]);
    const at_us = BigInt(/^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(reloading ?? '')?.[1] ?? 0);
    expect(at_us).toBeGreaterThanOrEqual(before_us);
    expect(at_us).toBeLessThanOrEqual(process.hrtime.bigint() / 1000n);
  });

  it('has its watchdog fed, at half its limit, when it is ours', async () => {
    // It is fed for as long as this process lives, also when the test and its socket are gone.
    const troubles: string[] = [];
    const note = (trouble: string): void => void troubles.push(trouble);
    const socket = new NotifySocket(cleanup);
    const env = { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '40000' };
    await serviceManager(note, { ...env, WATCHDOG_PID: String(process.pid) });
    await until(() => socket.heard.length >= 4, { what: 'four meals' });
    expect(new Set(socket.heard)).toEqual(new Set(['WATCHDOG=1']));
    const other = new NotifySocket(cleanup);
    const theirs = { NOTIFY_SOCKET: other.path, WATCHDOG_USEC: '40000', WATCHDOG_PID: '1' };
    (await serviceManager(note, theirs)).ready('');
    expect(other.heard).toEqual(['READY=1\nSTATUS=']);
    expect(troubles).toEqual([]);
  });

  it('is not looked for where nobody asks, and is hidden from what the service starts', async () => {
    const manager = await serviceManager(noTrouble, {});
    manager.ready('nobody hears this');
    const env = { NOTIFY_SOCKET: new NotifySocket(cleanup).path, WATCHDOG_USEC: '0', WATCHDOG_PID: '7', PATH: '/bin' };
    await serviceManager(noTrouble, env);
    expect(env).toEqual({ PATH: '/bin' });
  });

  it('says once what it could not tell, and goes on', async () => {
    const troubles: string[] = [];
    const report = (trouble: string): void => void troubles.push(trouble);
    const manager = await serviceManager(report, { NOTIFY_SOCKET: '/nonexistent/notify' });
    manager.ready('');
    manager.status('');
    expect(troubles).toEqual([expect.stringMatching(/could not be told READY=1: .*ENOENT/)]);
    await serviceManager(report, { NOTIFY_SOCKET: 'vsock:2:1' });
    await serviceManager(report, { NOTIFY_SOCKET: `/${'x'.repeat(200)}` });
    expect(troubles.slice(1)).toEqual([
      expect.stringMatching(/NOTIFY_SOCKET is vsock/),
      expect.stringMatching(/NOTIFY_SOCKET is \/xxx/),
    ]);
  });
});
