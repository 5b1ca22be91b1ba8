/** The VIP as a loan, between hosts: what the router process does with it when agents, processes and hosts fail. */
import { chmodSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Failback, TanistConfig } from '../../src/config/tanist/model.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { groupConfig, vipConfig } from '../support/tanist-config.js';
import { until } from '../support/until.js';
import { Availability, startBeacons } from './availability.js';
import type { CapturedPacket } from './capture.js';
import { GROUP, labCluster, NOBODY, startVipHost, type VipHost } from './vip-hosts.js';
import { VIP, vrrpConfig } from './vrrp-config.js';
import { needsVrrpLab, startRouter } from './vrrp-routers.js';
import { scene } from './vrrp-scene.js';

const cleanup = cleanupAfterEach();
beforeEach((context) => needsVrrpLab(context));

const PRIORITY_AT = 14 + 20 + 2;
/** The priorities of the adverts that a host has sent. */
const priorities = (packets: readonly CapturedPacket[], address: string): number[] =>
  packets
    .filter(({ frame }) => frame.subarray(26, 30).join('.') === address)
    .map(({ frame }) => frame[PRIORITY_AT] ?? -1);

describe('a VIP that is lent', () => {
  it('is there when it is granted, announced; and gone when it is revoked, with priority 0', async () => {
    const s = scene(cleanup, 'a', 'b', 'client');
    const client = s.lab.host('client');
    const adverts = await s.lab.capture('ip proto 112');
    const a = await startVipHost(s, 'a', cleanup);
    expect(a.host.holds(VIP)).toBe(false);
    client.ip(`neigh replace ${VIP} lladdr 02:00:00:00:00:99 dev eth0 nud stale`);
    a.tell(`lend ${GROUP} 1000`);
    await a.child.untilOutput(/held mymaster true/);
    expect(a.host.holds(VIP)).toBe(true);
    await until(() => client.neighbour(VIP) === a.host.mac(), { what: "the client's ARP cache to be put right" });
    expect(a.host.describe(VIP)?.valid_life_time).toBeLessThanOrEqual(2);
    await until(() => priorities(adverts.packets, '10.99.0.1').length > 3, { what: 'adverts' });
    a.tell(`revoke ${GROUP} handed over to b`);
    await until(() => !a.host.holds(VIP), { what: 'the address to leave' });
    await until(() => priorities(adverts.packets, '10.99.0.1').at(-1) === 0, { what: 'priority 0' });
    await a.child.untilOutput(/MASTER -> FAULT: lease mymaster is down: handed over to b/);
    expect(new Set(priorities(adverts.packets, '10.99.0.1'))).toEqual(new Set([255, 0]));
  });

  it('outlives the kernel lifetime while it is renewed', async () => {
    const s = scene(cleanup);
    const adverts = await s.lab.capture('ip proto 112');
    const a = await startVipHost(s, 'a', cleanup);
    a.tell(`lend ${GROUP} 500`);
    await a.child.untilOutput(/held mymaster true/);
    const from = a.child.output.length;
    // Ten adverts a second; the kernel would have dropped it after thirty at the latest.
    await until(() => adverts.packets.length >= 45, { what: '45 adverts' });
    expect(a.host.holds(VIP)).toBe(true);
    expect(a.child.output.slice(from)).toBe('');
  });

  it('ends by the router, not by the kernel, when the agent is frozen', async () => {
    const s = scene(cleanup);
    const adverts = await s.lab.capture('ip proto 112');
    const a = await startVipHost(s, 'a', cleanup, labCluster(), { lifetime_s: 600 });
    a.tell(`lend ${GROUP} 600`);
    await a.holds(true);
    a.child.freeze();
    await a.holds(false, VIP, 3000);
    await until(() => priorities(adverts.packets, '10.99.0.1').at(-1) === 0, { what: 'priority 0' });
    a.child.thaw();
    await a.child.untilOutput(/MASTER -> FAULT: lease mymaster is down: it ended without being renewed/);
    // The stand-in goes on renewing, as an agent would that still holds its lease.
    await a.holds(true);
  });

  it('ends at once when the agent is killed', async () => {
    const s = scene(cleanup);
    const a = await startVipHost(s, 'a', cleanup, labCluster(), { lifetime_s: 600 });
    a.tell(`lend ${GROUP} 60000`);
    await a.holds(true);
    await a.child.kill9();
    await a.holds(false, VIP, 3000);
  });

  it('is the first thing to go when a frozen host wakes up, whatever waits for it there', async () => {
    const s = scene(cleanup, 'a', 'b', 'client');
    const a = await startVipHost(s, 'a', cleanup, labCluster(), { lifetime_s: 600 });
    a.tell(`lend ${GROUP} 500`);
    await a.holds(true);
    const router = a.routerPid();
    a.child.freeze();
    process.kill(router, 'SIGSTOP');
    // Meanwhile another is master there: its adverts and announcements fill the sockets of the sleeper.
    const b = await startVipHost(s, 'b', cleanup);
    b.tell(`lend ${GROUP} 1000`);
    await b.holds(true);
    const heard = await s.lab.capture('ip proto 112');
    await until(() => heard.packets.length >= 8, { what: 'so many adverts of b that the loan of a has ended' });
    expect(s.lab.holders(VIP)).toEqual(['a', 'b']);
    const frames = await s.lab.capture(`ether src ${a.host.mac()} and (ip proto 112 or arp)`);
    process.kill(router, 'SIGCONT');
    await a.holds(false);
    await until(() => frames.packets.length > 0, { what: 'what the sleeper says' });
    // Not one announcement, nor an advert of a master: only that it leaves.
    const spoken = frames.packets.map(({ frame }) =>
      frame[12] === 0x08 && frame[13] === 0x06 ? 'arp' : frame[PRIORITY_AT],
    );
    expect(spoken).toEqual([0]);
    expect(s.lab.holders(VIP)).toEqual(['b']);
  });

  it('is cleaned up and put back when the router process is killed, or stands still', async () => {
    const s = scene(cleanup);
    const a = await startVipHost(s, 'a', cleanup);
    a.tell(`lend ${GROUP} 1000`);
    await a.holds(true);
    let from = a.child.output.length;
    process.kill(a.routerPid(), 'SIGKILL');
    await a.child.untilOutput(/held mymaster false[\s\S]*held mymaster true/, { from });
    await a.holds(true);
    from = a.child.output.length;
    process.kill(a.routerPid(), 'SIGSTOP');
    // Nobody refreshes it, so the kernel drops it.
    await a.holds(false);
    await a.child.untilOutput(/does not answer any more: killed[\s\S]*held mymaster true/, { from });
    await a.holds(true);
  });

  it('is dropped by the kernel when agent and router are killed at once', async () => {
    const s = scene(cleanup);
    const a = await startVipHost(s, 'a', cleanup);
    a.tell(`lend ${GROUP} 60000`);
    await a.holds(true);
    a.host.killAll9();
    expect(a.host.holds(VIP)).toBe(true);
    await a.holds(false);
  });

  it('comes and goes in both families by one loan', async () => {
    const s = scene(cleanup);
    const vips = [vipConfig(VIP), vipConfig('fd00::100')];
    const a = await startVipHost(s, 'a', cleanup, labCluster({ groups: [groupConfig({ vips })] }));
    a.tell(`lend ${GROUP} 1000`);
    await a.child.untilOutput(/held mymaster true/);
    expect(a.host.addresses()).toEqual(expect.arrayContaining([VIP, 'fd00::100']));
    a.tell(`revoke ${GROUP} test`);
    await a.child.untilOutput(/held mymaster false/);
    await a.holds(false);
    await a.holds(false, 'fd00::100');
  });

  it('leaves when the agent stops', async () => {
    const s = scene(cleanup);
    const a = await startVipHost(s, 'a', cleanup, labCluster(), { lifetime_s: 600 });
    a.tell(`lend ${GROUP} 60000`);
    await a.holds(true);
    a.tell('stop');
    expect((await a.child.exited).code).toBe(0);
    expect(a.child.output).toMatch(/held mymaster false/);
    expect(a.host.holds(VIP)).toBe(false);
  });

  it('moves between hosts, never on both, and the network follows', async () => {
    const s = scene(cleanup, 'a', 'b', 'client');
    await startBeacons([s.lab.host('a'), s.lab.host('b')]);
    const client = new Availability(s.lab.host('client'), VIP);
    const [a, b] = [await startVipHost(s, 'a', cleanup), await startVipHost(s, 'b', cleanup)];
    let [from, to]: [VipHost, VipHost] = [a, b];
    from.tell(`lend ${GROUP} 1000`);
    await from.holds(true);
    for (let round = 0; round < 10; round++) {
      from.tell(`revoke ${GROUP} round ${round}`);
      await from.holds(false);
      expect(s.lab.holders(VIP)).toEqual([]);
      to.tell(`lend ${GROUP} 1000`);
      await to.holds(true);
      await client.answeredBy(to.host.name);
      [from, to] = [to, from];
    }
    expect(a.child.output + b.child.output).not.toMatch(/master too|error/);
  });

  it('is taken and defended when another host has kept it', async () => {
    const s = scene(cleanup, 'a', 'b', 'client');
    const client = s.lab.host('client');
    s.lab.host('b').ip(`addr add ${VIP}/32 dev eth0`);
    client.ip(`neigh replace ${VIP} lladdr ${s.lab.host('b').mac()} dev eth0 nud stale`);
    const a = await startVipHost(s, 'a', cleanup);
    a.tell(`lend ${GROUP} 1000`);
    await a.child.untilOutput(/uses our address 10.99.0.100 too: announcing it again/);
    client.ip(`neigh replace ${VIP} lladdr ${s.lab.host('b').mac()} dev eth0 nud stale`);
    await until(() => client.neighbour(VIP) === a.host.mac(), { what: "the client's ARP cache to be put right again" });
  });

  it('makes a keepalived with a lower priority stand back, and leaves to it when nobody is granted the VIP', async () => {
    const s = scene(cleanup);
    const unicast = 'unicast_src_ip 10.99.0.2\n unicast_peer {\n 10.99.0.1\n }';
    const b = startRouter('keepalived', s.lab.host('b'), s.folder, vrrpConfig({ priority: 100, extra: unicast }));
    await b.becomes('VI', 'MASTER');
    const a = await startVipHost(s, 'a', cleanup);
    a.tell(`lend ${GROUP} 1000`);
    await a.holds(true);
    await b.becomes('VI', 'BACKUP');
    await until(() => s.lab.holders(VIP).join() === 'a', { what: 'a alone to hold the address' });
    const before = b.child.output.length;
    const adverts = await s.lab.capture('ip proto 112');
    await until(() => adverts.packets.length >= 15, { what: 'many adverts to pass' });
    expect(b.child.output.slice(before)).not.toMatch(/Entering/);
    a.tell(`revoke ${GROUP} test`);
    await b.becomes('VI', 'MASTER');
    a.tell(`lend ${GROUP} 1000`);
    await until(() => s.lab.holders(VIP).join() === 'a', { what: 'a alone to hold the address again' });
  });

  it('needs two capabilities, which nothing but the router process gets', async () => {
    const s = scene(cleanup, 'a');
    chmodSync(s.folder, 0o777);
    const a = await startVipHost(s, 'a', cleanup, labCluster(), { before: NOBODY });
    a.tell(`lend ${GROUP} 1000`);
    await a.holds(true);
    const capabilities = (pid: number): string | undefined =>
      /^CapEff:\s*(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    expect(capabilities(a.routerPid())).toBe('0000000000003000');
    a.tell('sleep');
    const [, sleeper] = await a.child.untilOutput(/sleeper (\d+)/);
    expect(capabilities(Number(sleeper))).toBe('0000000000000000');
    // One that takes a dead one's place gets them as well.
    process.kill(a.routerPid(), 'SIGKILL');
    await a.child.untilOutput(
      /held mymaster false[\s\S]*held mymaster true[\s\S]*held mymaster false[\s\S]*held mymaster true/,
    );
    expect(capabilities(a.routerPid())).toBe('0000000000003000');
  });

  it('is refused at the start, with the fix, without the rights', async () => {
    const s = scene(cleanup, 'a');
    const rights = ['--inh-caps', '-all', '--ambient-caps', '-all', '--bounding-set', '-all'];
    const program = `import('${new URL('../../dist/vrrp/host-facts.js', import.meta.url)}').then((m) => console.log(m.vipRightsFault()))`;
    const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', ...rights];
    const child = s.lab.host('a').start('setpriv', [...nobody, process.execPath, '-e', program]);
    await child.untilOutput(/needs CAP_NET_ADMIN and CAP_NET_RAW, which this process does not have\n {2}fix: /);
  });
});

describe('a VIP that two hosts elect for', () => {
  const pair = (failback: Failback): TanistConfig =>
    labCluster({ mode: 'pair', groups: [groupConfig({ vips: [vipConfig(VIP)], failback })] });

  it('goes to the first fit host, from an unfit one to the other, and stays there', async () => {
    const s = scene(cleanup);
    const config = pair({ when: 'never' });
    const [a, b] = [await startVipHost(s, 'a', cleanup, config), await startVipHost(s, 'b', cleanup, config)];
    b.tell(`lend ${GROUP} 1000`);
    await b.child.untilOutput(/role mymaster master/);
    let from = b.child.output.length;
    a.tell(`lend ${GROUP} 1000`);
    await a.child.untilOutput(/role mymaster backup/);
    await b.holds(true);
    // Its Redis ends: a takes over at once. It comes back: a stays.
    b.tell(`revoke ${GROUP} redis ended: signal 9`);
    await b.child.untilOutput(/role mymaster fault: redis mymaster is down: redis ended: signal 9/, { from });
    await a.child.untilOutput(/role mymaster master: no advert/);
    from = b.child.output.length;
    b.tell(`lend ${GROUP} 1000`);
    await b.child.untilOutput(/role mymaster backup/, { from });
    await until(() => s.lab.holders(VIP).join() === 'a', { what: 'a alone to hold the address' });
    // The whole agent of a stands still: its loan ends, and so does its mastership.
    a.child.freeze();
    await until(() => s.lab.holders(VIP).join() === 'b', { what: 'b to take over from the frozen a' });
    a.child.thaw();
    await a.child.untilOutput(/role mymaster fault[\s\S]*role mymaster backup/);
    expect(s.lab.holders(VIP)).toEqual(['b']);
  });

  it('goes back to the preferred host after the time that failback names', async () => {
    const s = scene(cleanup);
    const config = pair({ when: 'after', wait_ms: 1000 });
    const [a, b] = [await startVipHost(s, 'a', cleanup, config), await startVipHost(s, 'b', cleanup, config)];
    b.tell(`lend ${GROUP} 1000`);
    await b.holds(true);
    a.tell(`lend ${GROUP} 1000`);
    await a.child.untilOutput(/role mymaster backup[\s\S]*role mymaster master/);
    await b.child.untilOutput(/role mymaster backup: 10.99.0.1 has a higher priority: 250 > 230/);
    await until(() => s.lab.holders(VIP).join() === 'a', { what: 'a alone to hold the address' });
  });
});
