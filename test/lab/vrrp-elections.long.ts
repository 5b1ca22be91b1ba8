/** Elections between `tanist vrrp` and keepalived that take their time: by address, without preemption, at one second. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { until } from '../support/until.js';
import { VIP, vrrpConfig } from './vrrp-config.js';
import { agreed, needsVrrpLab, startRouter } from './vrrp-routers.js';
import { pair, ROLES, scene } from './vrrp-scene.js';

const cleanup = cleanupAfterEach();
beforeEach((context) => needsVrrpLab(context));

describe('elections', () => {
  it.each(ROLES)('by address at equal priorities: %s low, %s high', async (ka, kb) => {
    const s = scene(cleanup);
    // Both become master apart, so that only the address can decide.
    s.lab.host('b').unplug();
    const config = vrrpConfig({ priority: 100, extra: 'dont_track_primary' });
    const [a, b] = pair(s, [ka, kb], config, config);
    await a.becomes('VI', 'MASTER');
    await b.becomes('VI', 'MASTER');
    s.lab.host('b').plug();
    await agreed([a, b], 'b', VIP);
  });

  it.each(ROLES)('nopreempt: %s waits for %s', async (ka, kb) => {
    const s = scene(cleanup);
    const b = startRouter(kb, s.lab.host('b'), s.folder, vrrpConfig({ priority: 100 }));
    await b.becomes('VI', 'MASTER');
    const capture = await s.lab.capture('ip proto 112');
    const a = startRouter(ka, s.lab.host('a'), s.folder, vrrpConfig({ priority: 150, extra: 'nopreempt' }));
    await a.becomes('VI', 'BACKUP');
    const before = capture.packets.length;
    await until(() => capture.packets.length > before + 20, { what: 'twenty adverts' });
    expect(a.state('VI')).toBe('BACKUP');
    b.child.kill('SIGTERM');
    await a.becomes('VI', 'MASTER');
  });

  it.each(ROLES)('version 2 with a password, at one second: %s leaves %s', async (ka, kb) => {
    const s = scene(cleanup);
    const auth = 'authentication {\n auth_type PASS\n auth_pass secret\n }';
    const [a, b] = pair(
      s,
      [ka, kb],
      vrrpConfig({ version: 2, priority: 254, extra: auth }),
      vrrpConfig({ version: 2, priority: 100, extra: auth }),
    );
    await agreed([a, b], 'a', VIP);
    a.child.kill('SIGTERM');
    await until(() => b.state('VI') === 'MASTER', { what: 'b to take over on priority 0', deadline_ms: 2000 });
  });

  // One way round only: keepalived hears of processes through a kernel connector that namespaces do not have.
  it('tracked files and processes make tanist give way', async () => {
    const s = scene(cleanup);
    const file = join(s.folder, 'points');
    writeFileSync(file, '0\n');
    const before = `
track_file points {
  file ${file}
  weight 1
}
vrrp_track_process beacon {
  process sleep 4242
  weight -60
}
`;
    const extra = 'track_file {\n points\n }\n track_process {\n beacon\n }';
    const beacon = s.lab.host('a').start('sleep', ['4242']);
    const [a, b] = pair(
      s,
      ['tanist', 'keepalived'],
      vrrpConfig({ priority: 150, before, extra }),
      vrrpConfig({ priority: 100 }),
    );
    await agreed([a, b], 'a', VIP);
    writeFileSync(file, '-60\n');
    await agreed([a, b], 'b', VIP);
    writeFileSync(file, '0\n');
    await agreed([a, b], 'a', VIP);
    await beacon.kill9();
    await agreed([a, b], 'b', VIP);
  });
});
