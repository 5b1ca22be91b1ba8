/** `tanist vrrp` in one group with Debian's keepalived, in both roles. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { until } from '../support/until.js';
import { checkScript, VIP, vrrpConfig } from './vrrp-config.js';
import { agreed, needsVrrpLab, startRouter } from './vrrp-routers.js';
import { pair, ROLES, scene } from './vrrp-scene.js';

const cleanup = cleanupAfterEach();
beforeEach((context) => needsVrrpLab(context));

describe.each(ROLES)('%s with the higher priority, %s with the lower', (ka, kb) => {
  const roles = [ka, kb] as const;

  it('elects by priority, preempts, hands over when leaving, survives kill -9 and a cable cut', async () => {
    const s = scene(cleanup);
    const { lab, folder } = s;
    const b = startRouter(kb, lab.host('b'), folder, vrrpConfig({ priority: 100 }));
    await b.becomes('VI', 'MASTER');
    let a = startRouter(ka, lab.host('a'), folder, vrrpConfig({ priority: 150 }));
    await agreed([a, b], 'a', VIP);
    a.child.kill('SIGTERM');
    await b.becomes('VI', 'MASTER');
    expect(lab.holders(VIP)).toEqual(['b']);
    await a.child.exited;
    a = startRouter(ka, lab.host('a'), folder, vrrpConfig({ priority: 150 }));
    await agreed([a, b], 'a', VIP);
    lab.host('a').unplug();
    await until(() => b.state('VI') === 'MASTER' && lab.holders(VIP).join() === 'b', {
      what: 'b to take over from the cut a',
    });
    expect(a.state('VI')).toBe('FAULT');
    lab.host('a').plug();
    await agreed([a, b], 'a', VIP);
    lab.host('a').killAll9();
    await until(() => b.state('VI') === 'MASTER' && lab.host('b').holds(VIP), {
      what: 'b to take over from the killed a',
    });
    a = startRouter(ka, lab.host('a'), folder, vrrpConfig({ priority: 150 }));
    await agreed([a, b], 'a', VIP);
  });

  it('lets a script fail over, by weight and without', async () => {
    const s = scene(cleanup);
    const flag = join(s.folder, 'sick');
    const tracked = (weight: string): string =>
      vrrpConfig({ priority: 150, before: checkScript('chk', flag, weight), extra: 'track_script {\n chk\n }' });
    const [a, b] = pair(s, roles, tracked('weight -60'), vrrpConfig({ priority: 100 }));
    await agreed([a, b], 'a', VIP);
    writeFileSync(flag, '');
    await agreed([a, b], 'b', VIP);
    rmSync(flag);
    await agreed([a, b], 'a', VIP);
    a.reload(tracked(''));
    await until(() => /[Rr]eload/.test(a.child.output), { what: 'the reload' });
    await agreed([a, b], 'a', VIP);
    writeFileSync(flag, '');
    await a.becomes('VI', 'FAULT');
    await until(() => s.lab.holders(VIP).join() === 'b', { what: 'b to hold the address' });
    rmSync(flag);
    await agreed([a, b], 'a', VIP);
  });

  it('talks unicast, in a sync group of two', async () => {
    const s = scene(cleanup);
    const config = (own: string, peer: string, priority: number): string =>
      `vrrp_sync_group G {\n group {\n VI\n W\n }\n}\n` +
      vrrpConfig({ priority, extra: `unicast_src_ip ${own}\n unicast_peer {\n ${peer}\n }` }) +
      vrrpConfig({
        name: 'W',
        vrid: 52,
        vip: '10.99.0.101/24',
        priority,
        extra: `unicast_src_ip ${own}\n unicast_peer {\n ${peer}\n }`,
      });
    const [a, b] = pair(s, roles, config('10.99.0.1', '10.99.0.2', 150), config('10.99.0.2', '10.99.0.1', 100));
    await agreed([a, b], 'a', VIP);
    await agreed([a, b], 'a', '10.99.0.101', 'W');
    s.lab.host('a').unplug();
    await until(() => s.lab.holders(VIP).join() === 'b' && s.lab.holders('10.99.0.101').join() === 'b', {
      what: 'b to take both',
    });
    s.lab.host('a').plug();
    await agreed([a, b], 'a', '10.99.0.101', 'W');
  });

  it('talks IPv6', async () => {
    const s = scene(cleanup);
    const vip = 'fe80::100/64\n fd00::100/64';
    const [a, b] = pair(s, roles, vrrpConfig({ priority: 150, vip }), vrrpConfig({ priority: 100, vip }));
    await agreed([a, b], 'a', 'fd00::100');
    a.child.kill('SIGTERM');
    await until(() => s.lab.holders('fd00::100').join() === 'b', { what: 'b to take over' });
  });
});
