/** The agent with the rights that deploy/tanist.service gives it: what it tells the service manager, and who may do what. */
import { chmodSync, chownSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { needs } from '../support/needs.js';
import { NotifySocket } from '../support/notify-socket.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';
import { AgentHost } from './agent-host.js';
import { Lab, needsLab } from './lab.js';

const cleanup = cleanupAfterEach();
beforeEach((context) => {
  needsLab(context);
  needs(context, 'redis-server');
  needs(context, 'redis-cli');
});

const VIP = '10.99.0.100';
const NOBODY = 65_534;
const NETWORK_RIGHTS = '0000000000003000';

const capabilities = (pid: number): string | undefined =>
  /^CapEff:\s*(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];

describe('a quorum of two hosts and a witness, as services of an ordinary user', () => {
  it('keeps the VIP with two capabilities, of which Redis has none, and tells how it stands', async () => {
    const lab = new Lab(cleanup, ['a', 'b', 'w']);
    const folder = tempDir(cleanup);
    chmodSync(folder, 0o755);
    const config = [
      'hosts: {a: 10.99.0.1, b: 10.99.0.2, w: {address: 10.99.0.3, witness: true}}',
      `vip: ${VIP}/24`,
      'state_directory: "%/state"',
      'redis: {directory: "%/redis"}',
      '',
    ].join('\n');
    const rights = ['--inh-caps', '--ambient-caps', '--bounding-set'].flatMap((o) => [o, '-all,+net_raw,+net_admin']);
    const user = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'];
    const before = ['setpriv', ...user, ...rights, '--no-new-privs'];
    const socket = new NotifySocket(cleanup);
    chmodSync(join(socket.path, '..'), 0o755);
    chmodSync(socket.path, 0o777);
    const hosts = lab.hosts.map((host) => new AgentHost(host, folder, config, cleanup));
    for (const { host } of hosts) chownSync(join(folder, host.name), NOBODY, NOBODY);
    const [a, b, w] = hosts;
    if (a === undefined || b === undefined || w === undefined) throw new Error('the lab has three hosts');
    await w.start({ before });
    await b.start({ before });
    await a.start({ before, env: { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '1000000' } });
    await until(() => lab.holders(VIP).length === 1 && b.role(VIP) === 'master', {
      what: 'a master behind the VIP',
      deadline_ms: 30_000,
    }).catch((error: Error) => {
      throw new Error([error.message, ...hosts.map((h) => h.agent.output.slice(-3000))].join('\n---\n'));
    });
    const leader = lab.holders(VIP)[0] === 'a' ? a : b;
    const children = leader.host.childrenOf(leader.agent.pid);
    const router = children.find(({ command }) => command.includes('router-process.js'));
    expect(capabilities(router?.pid ?? 0)).toBe(NETWORK_RIGHTS);
    expect(capabilities(leader.agent.pid)).toBe(NETWORK_RIGHTS);
    expect(capabilities(leader.redisPid())).toBe('0000000000000000');
    await until(() => socket.heard.some((text) => /^READY=1\nSTATUS=mymaster: \w+/.test(text)), { what: 'READY' });
    await until(() => socket.heard.includes('WATCHDOG=1'), { what: 'the watchdog to be fed' });
    // An order is answered when clients can come back.
    const other = leader === a ? b : a;
    await until(() => other.redis(other.host.address, 'INFO', 'replication').includes('master_link_status:up'), {
      what: 'a replica to switch over to',
    });
    leader.order('switchover', '-y');
    expect(lab.holders(VIP)).toEqual([other.host.name]);
    a.agent.kill('SIGTERM');
    await until(() => socket.heard.some((text) => text.startsWith('STOPPING=1')), { what: 'STOPPING' });
    expect((await a.agent.exited).code).toBe(0);
    // A stop hands over first; Redis goes on.
    await until(() => lab.holders(VIP).join() === 'b' && b.role(VIP) === 'master', { what: 'b to lead' });
    expect(b.role('10.99.0.1')).toBe('slave');
  });
});
