/** What goes wrong around a virtual address on real networks, one test a trap. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { until } from '../support/until.js';
import { VIP, vrrpConfig } from './vrrp-config.js';
import { agreed, needsVrrpLab, startRouter } from './vrrp-routers.js';
import { pair, ROLES, scene } from './vrrp-scene.js';

const cleanup = cleanupAfterEach();
beforeEach((context) => needsVrrpLab(context));

describe('traps', () => {
  it('announces again when its carrier returns though it stayed master', async () => {
    const s = scene(cleanup, 'a', 'client');
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig({ extra: 'dont_track_primary' }));
    await a.becomes('VI', 'MASTER');
    s.lab.host('a').unplug();
    s.lab.host('client').ip(`neigh replace ${VIP} lladdr 02:00:00:00:00:99 dev eth0 nud stale`);
    s.lab.host('a').plug();
    await until(() => s.lab.host('client').neighbour(VIP) === s.lab.host('a').mac(), {
      what: "the client's ARP cache to be put right",
      deadline_ms: 2000,
    });
  });

  it('tells that its adverts are dropped on the way out', async () => {
    const s = scene(cleanup, 'a');
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig());
    await a.becomes('VI', 'MASTER');
    s.lab.host('a').block({ direction: 'out' });
    await a.child.untilOutput(/error \(VI\) an advert could not be sent, so others may take over: .*EPERM/);
  });

  it.each(ROLES)('one-way cut and healed: %s deaf, %s goes on', async (ka, kb) => {
    const s = scene(cleanup);
    const [a, b] = pair(s, [ka, kb], vrrpConfig({ priority: 100 }), vrrpConfig({ priority: 150 }));
    await agreed([a, b], 'b', VIP);
    const heal = s.lab.host('a').block({ direction: 'in' });
    await a.becomes('VI', 'MASTER');
    heal();
    await agreed([a, b], 'b', VIP);
    const holder = s.lab.host('b').mac();
    expect(holder).not.toBe('');
  });

  it('defends its address against a host that has kept it', async () => {
    const s = scene(cleanup, 'a', 'b', 'client');
    s.lab.host('b').ip(`addr add ${VIP}/32 dev eth0`);
    s.lab.host('client').ip(`neigh replace ${VIP} lladdr ${s.lab.host('b').mac()} dev eth0 nud stale`);
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig());
    await a.child.untilOutput(/still answers for our addresses, but sends no adverts: taking over all the same/);
    await a.child.untilOutput(/uses our address 10.99.0.100 too: announcing it again/);
    s.lab.host('client').ip(`neigh replace ${VIP} lladdr ${s.lab.host('b').mac()} dev eth0 nud stale`);
    const putRight = (): boolean => s.lab.host('client').neighbour(VIP) === s.lab.host('a').mac();
    await until(putRight, { what: "the client's ARP cache to be put right again", deadline_ms: 4000 });
  });

  it('cleans an address left over from a killed run; with vip_lifetime the kernel does', async () => {
    const s = scene(cleanup, 'a', 'b');
    const config = vrrpConfig({ extra: 'vip_lifetime 2' });
    let a = startRouter('tanist', s.lab.host('a'), s.folder, config);
    await a.becomes('VI', 'MASTER');
    expect(s.lab.host('a').describe(VIP)?.valid_life_time).toBeLessThanOrEqual(2);
    s.lab.host('a').killAll9();
    await until(() => !s.lab.host('a').holds(VIP), { what: 'the kernel to drop the address', deadline_ms: 4000 });
    s.lab.host('b').ip(`addr add ${VIP}/24 dev eth0`);
    a = startRouter('tanist', s.lab.host('b'), s.folder, vrrpConfig());
    await a.child.untilOutput(/removes 10.99.0.100 from eth0: an earlier run has left it behind/);
    await a.becomes('VI', 'MASTER');
  });

  it('leaves within a blink when its supervisor is killed', async () => {
    const s = scene(cleanup);
    const [a, b] = pair(s, ['tanist', 'tanist'], vrrpConfig({ priority: 150 }), vrrpConfig({ priority: 100 }));
    await agreed([a, b], 'a', VIP);
    a.child.kill('SIGKILL');
    await until(() => s.lab.holders(VIP).join() === 'b', { what: 'b alone to hold the address', deadline_ms: 1500 });
    expect(b.child.output).toMatch(/10.99.0.1 leaves/);
  });

  it('is started again when the router process is killed, and cleans up behind it', async () => {
    const s = scene(cleanup, 'a');
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig());
    await a.becomes('VI', 'MASTER');
    // By its parent: other labs may have routers of their own.
    const { pid } = a.child;
    const [router] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    expect(readFileSync(`/proc/${router}/cmdline`, 'utf8')).toContain('router-process.js');
    process.kill(Number(router), 'SIGKILL');
    await a.child.untilOutput(/the router process died \(SIGKILL\)/);
    await a.child.untilOutput(/an earlier run has left it behind[\s\S]*-> MASTER/);
    expect(s.lab.host('a').holds(VIP)).toBe(true);
  });

  it('puts back an address that somebody removed', async () => {
    const s = scene(cleanup, 'a');
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig());
    await a.becomes('VI', 'MASTER');
    s.lab.host('a').ip(`addr del ${VIP}/24 dev eth0`);
    await until(() => s.lab.host('a').holds(VIP), { what: 'the address to be back' });
    await a.child.untilOutput(/somebody removed 10.99.0.100 from eth0/);
  });

  it('waits for an interface that comes later', async () => {
    const s = scene(cleanup, 'a');
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig({ device: 'late0' }));
    await a.becomes('VI', 'FAULT');
    s.lab
      .host('a')
      .ip(
        'link add late0 type veth peer name other0',
        'link set other0 up',
        'addr add 10.99.9.1/24 dev late0',
        'link set late0 up',
      );
    await a.becomes('VI', 'MASTER');
    expect(s.lab.host('a').holds(VIP, 'late0')).toBe(true);
  });
});
