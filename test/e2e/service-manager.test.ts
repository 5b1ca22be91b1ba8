/** Every daemon as a service of `Type=notify`: ready when it serves, not before; reloading; stopping; alive. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Child, startChild } from '../support/child.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { freePort } from '../support/free-port.js';
import { NotifySocket } from '../support/notify-socket.js';
import { tanistPath } from '../support/tanist.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();

interface Service {
  readonly child: Child;
  readonly socket: NotifySocket;
  /** Waits until this was told, after all that was waited for before. */
  tells(what: RegExp): Promise<void>;
}

function startService(args: readonly string[]): Service {
  const socket = new NotifySocket(cleanup);
  const env = { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '200000' };
  const child = startChild({ command: process.execPath, args: [tanistPath, ...args], env }, cleanup);
  let from = 0;
  const tells = async (what: RegExp): Promise<void> => {
    const found = await until(() => socket.heard.findIndex((text, i) => i >= from && what.test(text)) + 1, {
      what: `${what} to be told`,
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n--- told: ${JSON.stringify(socket.heard)}\n--- its log:\n${child.output}`);
    });
    from = found;
  };
  return { child, socket, tells };
}

function fileWith(name: string, text: string): string {
  const path = join(tempDir(cleanup), name);
  writeFileSync(path, text);
  return path;
}

describe('as a service', () => {
  it('a Sentinel is ready when it listens', async () => {
    const port = await freePort();
    const file = fileWith('sentinel.conf', `port ${port}\nsentinel monitor m 127.0.0.1 ${await freePort()} 1\n`);
    const { child, socket, tells } = startService(['sentinel', file]);
    await tells(/^READY=1\nSTATUS=watches 1 master$/);
    expect(child.output).toMatch(/Running mode=sentinel/);
    await tells(/^WATCHDOG=1$/);
    child.kill('SIGTERM');
    await tells(/^STOPPING=1\nSTATUS=SIGTERM was received$/);
    expect((await child.exited).code).toBe(0);
    expect(socket.heard.filter((text) => text.startsWith('READY'))).toHaveLength(1);
  });

  it('a proxy is ready when it listens, and again when it has reloaded', async () => {
    const [listen, server, stats] = [await freePort(), await freePort(), await freePort()];
    const pool = `p:\n  listen: 127.0.0.1:${listen}\n  redis: true\n  servers:\n   - 127.0.0.1:${server}:1\n`;
    const { child, tells } = startService(['proxy', '-s', String(stats), '-a', '127.0.0.1', fileWith('n.yml', pool)]);
    await tells(/^READY=1\n/);
    child.kill('SIGHUP');
    await tells(/^RELOADING=1\nMONOTONIC_USEC=\d+$/);
    await tells(/^READY=1\n/);
    child.kill('SIGTERM');
    await tells(/^STOPPING=1\n/);
  });

  it('a VRRP router tells what it runs, and that it reloads', async () => {
    // On an interface that is not there, so that nothing is sent.
    const router =
      'vrrp_instance VI {\n interface none0\n virtual_router_id 7\n virtual_ipaddress {\n 192.0.2.7\n }\n}\n';
    const { child, tells } = startService(['vrrp', fileWith('keepalived.conf', router)]);
    await tells(/^READY=1\nSTATUS=runs VI$/);
    child.kill('SIGHUP');
    await tells(/^RELOADING=1\n/);
    await tells(/^READY=1\nSTATUS=runs VI$/);
    child.kill('SIGTERM');
    await tells(/^STOPPING=1\n/);
  });

  it('is not ready when it cannot start', async () => {
    const { child, socket } = startService(['sentinel', fileWith('sentinel.conf', 'nonsense\n')]);
    expect((await child.exited).code).toBe(1);
    expect(socket.heard).toEqual([]);
  });
});
