/** `tanist vrrp` as a daemon: signals, scripts, capabilities. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Child } from '../support/child.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { tanistPath } from '../support/tanist.js';
import { until } from '../support/until.js';
import { VIP, vrrpConfig } from './vrrp-config.js';
import { agreed, needsVrrpLab, startRouter } from './vrrp-routers.js';
import { pair, scene } from './vrrp-scene.js';

const cleanup = cleanupAfterEach();
beforeEach((context) => needsVrrpLab(context));

describe('operation', () => {
  it('SIGHUP takes a good file and refuses a bad one, SIGUSR1 and SIGUSR2 dump JSON', async () => {
    const s = scene(cleanup, 'a');
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig(), { args: ['--dump-dir', s.folder] });
    await a.becomes('VI', 'MASTER');
    a.reload('vrrp_instance VI {\n interfac eth0\n}\n');
    await a.child.untilOutput(
      /unknown word interfac in vrrp_instance VI; did you mean interface\?[\s\S]*reload refused/,
    );
    expect(s.lab.host('a').holds(VIP)).toBe(true);
    a.reload(vrrpConfig({ vip: '10.99.0.101/24', priority: 120 }));
    await until(() => s.lab.host('a').holds('10.99.0.101') && !s.lab.host('a').holds(VIP), {
      what: 'the new address alone',
    });
    expect(a.state('VI')).toBe('MASTER');
    const path = join(s.folder, 'tanist-vrrp.data.json');
    a.child.kill('SIGUSR1');
    await until(() => existsSync(path), { what: 'the dump' });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
      instances: [{ name: 'VI', state: 'MASTER', priority: 120 }],
    });
    a.child.kill('SIGUSR2');
    const stats = join(s.folder, 'tanist-vrrp.stats.json');
    await until(() => existsSync(stats), { what: 'the statistics' });
    expect(JSON.parse(readFileSync(stats, 'utf8'))).toMatchObject({ instances: [{ stats: { becameMaster: 1 } }] });
  });

  it('runs notify scripts in order, one after the other, with the arguments of keepalived, and writes the FIFO', async () => {
    const s = scene(cleanup, 'a');
    const log = join(s.folder, 'events');
    const script = join(s.folder, 'notify.sh');
    writeFileSync(script, `#!/bin/sh\necho "start $*" >> ${log}\nsleep 0.3\necho "end $*" >> ${log}\n`, {
      mode: 0o755,
    });
    const config = vrrpConfig({
      before: `global_defs {\n notify_fifo ${join(s.folder, 'fifo')}\n}\n`,
      extra: `notify_backup "${script} own-backup" root\n notify_master "${script} own-master" root\n notify_stop "${script} own-stop" root\n notify "${script} any" root`,
    });
    const a = startRouter('tanist', s.lab.host('a'), s.folder, config);
    await until(() => existsSync(join(s.folder, 'fifo')), { what: 'the FIFO' });
    const reader = s.lab.host('a').start('cat', [join(s.folder, 'fifo')]);
    await a.becomes('VI', 'MASTER');
    a.child.kill('SIGTERM');
    await a.child.exited;
    const events = readFileSync(log, 'utf8').trim().split('\n');
    const expected = [
      'own-backup',
      'any INSTANCE VI BACKUP 100',
      'own-master',
      'any INSTANCE VI MASTER 100',
      'own-stop',
      'any INSTANCE VI STOP 100',
    ];
    expect(events).toEqual(expected.flatMap((e) => [`start ${e}`, `end ${e}`]));
    await until(() => /INSTANCE "VI" STOP 100/.test(reader.output), { what: 'the last line of the FIFO' });
  });

  it('fails over when a check script hangs', async () => {
    const s = scene(cleanup);
    const flag = join(s.folder, 'hang');
    const script = join(s.folder, 'check.sh');
    writeFileSync(script, `#!/bin/sh\n[ -e ${flag} ] && sleep 60\nexit 0\n`, { mode: 0o755 });
    const before = `vrrp_script chk {\n script ${script}\n interval 1\n timeout 1\n user root\n}\n`;
    const [a, b] = pair(
      s,
      ['tanist', 'tanist'],
      vrrpConfig({ priority: 150, before, extra: 'track_script {\n chk\n }' }),
      vrrpConfig({ priority: 100 }),
    );
    await agreed([a, b], 'a', VIP);
    writeFileSync(flag, '');
    await a.becomes('VI', 'FAULT');
    expect(a.child.output).toMatch(/script chk is down: ran longer than 1 s/);
    await until(() => s.lab.holders(VIP).join() === 'b', { what: 'b to take over' });
  });

  it('needs no more than CAP_NET_RAW and CAP_NET_ADMIN, and takes no part without them', async () => {
    const s = scene(cleanup, 'a');
    const a = s.lab.host('a');
    chmodSync(s.folder, 0o755);
    const config = join(s.folder, 'a.conf');
    writeFileSync(config, vrrpConfig());
    const start = (caps: string): Child => {
      const rights = ['--inh-caps', caps, '--ambient-caps', caps, '--bounding-set', caps];
      const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', ...rights];
      return a.start('setpriv', [...nobody, process.execPath, tanistPath, 'vrrp', config]);
    };
    const powerless = start('-all');
    await powerless.untilOutput(/EPERM: CAP_NET_RAW and CAP_NET_ADMIN are needed[\s\S]*\(VI\) INIT -> FAULT/);
    await powerless.stop();
    const child = start('-all,+net_raw,+net_admin');
    await child.untilOutput(/-> MASTER/);
    await until(() => a.holds(VIP), { what: 'the address' });
    child.kill('SIGTERM');
    await until(() => !a.holds(VIP), { what: 'the address to be released' });
  });
});
