/** What clients of a VIP are told when it leaves a host that lives on. */
import { chmodSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Child } from '../support/child.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { leaveOut } from '../support/needs.js';
import { findPeer, requirePeer } from '../support/peers.js';
import { groupConfig, vipConfig } from '../support/tanist-config.js';
import { until } from '../support/until.js';
import type { Host } from './host.js';
import { GROUP, labCluster, NOBODY, startVipHost } from './vip-hosts.js';
import { VIP } from './vrrp-config.js';
import { needsVrrpLab } from './vrrp-routers.js';
import { scene } from './vrrp-scene.js';

const cleanup = cleanupAfterEach();
beforeEach((context) => {
  needsVrrpLab(context);
  const redis = findPeer('redis-server');
  if (redis.path === null) leaveOut(context, redis.reason);
});

const CALLERS = new URL('./callers.mjs', import.meta.url).pathname;
const PORT = 6379;
const VIP6 = 'fd00::100';

async function startRedis(host: Host): Promise<Child> {
  const settings = ['--port', String(PORT), '--bind', '0.0.0.0', '::', '--protected-mode', 'no', '--save', ''];
  const redis = host.start(requirePeer('redis-server').path, settings);
  await redis.untilOutput(/[Rr]eady to accept/);
  return redis;
}

function call(from: Host, to: string, count = 1, ...line: string[]): Child {
  return from.start(process.execPath, [CALLERS, to, String(PORT), String(count), ...line]);
}

/** Who has sent something on a connection that is open. */
async function connected(callers: Child): Promise<Child> {
  await callers.untilOutput(/connected/);
  return callers;
}

/** The connections to `host`'s Redis through an address, as the kernel lists them. */
const connectionsTo = (host: Host, address: string): number =>
  host.exec('ss', '-Htn', 'state', 'established', `src ${address}`).split('\n').filter(Boolean).length;

const lost = (child: Child, code: string): number => child.output.split(`lost ${code}\n`).length - 1;

describe('a VIP that leaves a living host', () => {
  it('takes its connections with it, idle ones and those that wait for an answer, and no other', async () => {
    const s = scene(cleanup, 'a', 'client');
    const [hostA, client] = [s.lab.host('a'), s.lab.host('client')];
    await startRedis(hostA);
    const a = await startVipHost(s, 'a', cleanup);
    a.tell(`lend ${GROUP} 1000`);
    await a.holds(true);
    const idle = await connected(call(client, VIP));
    const own = await connected(call(client, '10.99.0.1', 1, 'BLPOP list 0'));
    await (await connected(call(client, VIP, 1, 'CLIENT PAUSE 60000 WRITE'))).untilOutput(/answer \+OK/);
    const writer = await connected(call(client, VIP, 1, 'SET key value'));
    expect(connectionsTo(hostA, VIP)).toBe(3);
    a.tell(`revoke ${GROUP} handed over`);
    await idle.untilOutput(/lost ECONNRESET/);
    await writer.untilOutput(/lost ECONNRESET/);
    await a.child.untilOutput(/\(mymaster\) ended 3 connections to 10\.99\.0\.100 in/);
    await a.holds(false);
    // The server has seen it too.
    const clients = (): string => hostA.exec('redis-cli', '-h', '10.99.0.1', 'CLIENT', 'LIST');
    await until(() => !clients().includes(`laddr=${VIP}`), { what: "Redis to see its clients' end" });
    expect(clients()).toMatch(/laddr=10\.99\.0\.1:6379 .*cmd=blpop/);
    expect(own.output).not.toMatch(/lost/);
  });

  it('refuses who still sends to it, for two seconds, and no longer; with two capabilities', async () => {
    const s = scene(cleanup, 'a', 'client');
    chmodSync(s.folder, 0o777);
    const [hostA, client] = [s.lab.host('a'), s.lab.host('client')];
    await startRedis(hostA);
    const a = await startVipHost(s, 'a', cleanup, labCluster(), { before: NOBODY });
    a.tell(`lend ${GROUP} 1000`);
    await a.holds(true);
    client.ip(`neigh replace ${VIP} lladdr ${hostA.mac()} dev eth0 nud permanent`);
    const idle = await connected(call(client, VIP));
    a.tell(`revoke ${GROUP} handed over`);
    await idle.untilOutput(/lost ECONNRESET/);
    await a.holds(false);
    const late = call(client, VIP, 20);
    await until(() => lost(late, 'ECONNREFUSED') === 20, { what: '20 connections to be refused' });
    // Other protocols are not answered.
    const spoken = await s.lab.capture(`ether src ${hostA.mac()} and ip src host ${VIP}`);
    await client.start('ping', ['-c', '2', '-i', '0.1', '-W', '1', VIP]).exited;
    expect(spoken.packets).toEqual([]);
    // In the end nobody answers any more.
    const calls = await s.lab.capture(`ether src ${client.mac()} and ip dst host ${VIP} and tcp`);
    const inVain = (): boolean => {
      call(client, VIP);
      return calls.packets.length > spoken.packets.length + 3;
    };
    await until(inVain, { what: 'calls without an answer', interval_ms: 300 });
    expect(a.child.output).not.toMatch(/warn|error/);
  });

  it('is removed first when its loan has run out; its clients are told all the same', async () => {
    const s = scene(cleanup, 'a', 'client');
    const [hostA, client] = [s.lab.host('a'), s.lab.host('client')];
    await startRedis(hostA);
    const a = await startVipHost(s, 'a', cleanup);
    a.tell(`once ${GROUP} 4000`);
    await a.holds(true);
    const idle = await connected(call(client, VIP, 10));
    await idle.untilOutput(/(lost ECONNRESET\s[\s\S]*){10}/);
    expect(a.child.output).toMatch(/ended 10 more connections to 10\.99\.0\.100 after it was removed/);
    expect(a.child.output).not.toMatch(/ms$/m);
    await until(() => connectionsTo(hostA, VIP) === 0, { what: 'the server to be rid of them' });
  });

  it('takes its connections with it also in IPv6, and from sockets that serve both families', async () => {
    const s = scene(cleanup, 'a', 'client');
    const vips = [vipConfig(VIP), vipConfig(VIP6)];
    const a = await startVipHost(s, 'a', cleanup, labCluster({ groups: [groupConfig({ vips })] }));
    const program = `require('node:net').createServer((s) => s.on('error', () => 0)).listen(${PORT}, '::', () => console.log('listening'))`;
    await s.lab
      .host('a')
      .start(process.execPath, ['-e', program])
      .untilOutput(/listening/);
    a.tell(`lend ${GROUP} 1000`);
    await a.child.untilOutput(/held mymaster true/);
    s.lab.host('client').ip('addr add fd00::2/64 dev eth0 nodad');
    const six = await connected(call(s.lab.host('client'), VIP6, 3));
    const four = await connected(call(s.lab.host('client'), VIP, 3));
    a.tell(`revoke ${GROUP} handed over`);
    await until(() => lost(six, 'ECONNRESET') === 3 && lost(four, 'ECONNRESET') === 3, { what: 'six resets' });
  });

  it('is found on its new host at once, where nobody is refused', async () => {
    const s = scene(cleanup, 'a', 'b', 'client');
    const [hostA, hostB, client] = [s.lab.host('a'), s.lab.host('b'), s.lab.host('client')];
    await Promise.all([startRedis(hostA), startRedis(hostB)]);
    const [a, b] = [await startVipHost(s, 'a', cleanup), await startVipHost(s, 'b', cleanup)];
    a.tell(`lend ${GROUP} 1000`);
    await a.holds(true);
    const before = await connected(call(client, VIP, 1, 'BLPOP list 0'));
    a.tell(`revoke ${GROUP} handed over`);
    await before.untilOutput(/lost ECONNRESET/);
    const gap = call(client, VIP);
    await gap.untilOutput(/lost ECONNREFUSED/);
    b.tell(`lend ${GROUP} 1000`);
    await b.holds(true);
    const resets = await s.lab.capture(`ether src ${hostA.mac()} and tcp[tcpflags] & tcp-rst != 0`);
    await until(() => client.neighbour(VIP) === hostB.mac(), { what: 'the client to know the new host' });
    const after = await connected(call(client, VIP, 5, 'PING'));
    await after.untilOutput(/(answer \+PONG\s[\s\S]*){5}/);
    expect(connectionsTo(hostB, VIP)).toBe(5);
    // Back again, within the time in which a would refuse: it speaks for itself at once.
    b.tell(`revoke ${GROUP} handed back`);
    await after.untilOutput(/lost ECONNRESET/);
    a.tell(`lend ${GROUP} 1000`);
    await a.holds(true);
    await until(() => client.neighbour(VIP) === hostA.mac(), { what: 'the client to know the old host again' });
    await (await connected(call(client, VIP, 5, 'PING'))).untilOutput(/(answer \+PONG\s[\s\S]*){5}/);
    expect(resets.packets).toEqual([]);
  });

  it('ends a thousand connections', async () => {
    const s = scene(cleanup, 'a', 'client');
    await startRedis(s.lab.host('a'));
    const a = await startVipHost(s, 'a', cleanup);
    a.tell(`lend ${GROUP} 1000`);
    await a.holds(true);
    const callers = await connected(call(s.lab.host('client'), VIP, 1000));
    a.tell(`revoke ${GROUP} handed over`);
    await a.holds(false);
    await until(() => lost(callers, 'ECONNRESET') === 1000, { what: 'a thousand resets' });
    expect(a.child.output).toMatch(/ended \d+ connections to 10\.99\.0\.100/);
  });

  it('leaves it to the kernel where the host forwards', async () => {
    const s = scene(cleanup, 'a', 'client');
    const [hostA, client] = [s.lab.host('a'), s.lab.host('client')];
    hostA.exec('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    await startRedis(hostA);
    const a = await startVipHost(s, 'a', cleanup);
    a.tell(`lend ${GROUP} 1000`);
    await a.holds(true);
    const callers = await connected(call(client, VIP));
    client.ip(`neigh replace ${VIP} lladdr ${hostA.mac()} dev eth0 nud permanent`);
    a.tell(`revoke ${GROUP} handed over`);
    await callers.untilOutput(/lost ECONNRESET/);
    const resets = await s.lab.capture(`ether src ${hostA.mac()} and tcp[tcpflags] & tcp-rst != 0`);
    const calls = await s.lab.capture(`ether src ${client.mac()} and ip dst host ${VIP} and tcp`);
    call(client, VIP);
    await until(() => calls.packets.length > 1, { what: 'a call to be repeated' });
    expect(resets.packets).toEqual([]);
  });
});
