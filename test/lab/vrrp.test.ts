/** `tanist vrrp` in one group with Debian's keepalived, in both roles. */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';
import { Lab } from './lab.js';
import { checkScript, VIP, vrrpConfig } from './vrrp-config.js';
import { agreed, needsVrrpLab, type RouterKind, type RunningRouter, startRouter } from './vrrp-routers.js';

const cleanup = cleanupAfterEach();
beforeEach((context) => needsVrrpLab(context));

/** Who is host a, who is host b. */
const ROLES: readonly [RouterKind, RouterKind][] = [
  ['tanist', 'keepalived'],
  ['keepalived', 'tanist'],
];

interface Scene {
  readonly lab: Lab;
  readonly folder: string;
}

function scene(...hosts: string[]): Scene {
  return { lab: new Lab(cleanup, hosts.length > 0 ? hosts : ['a', 'b']), folder: tempDir(cleanup) };
}

function pair(
  { lab, folder }: Scene,
  [ka, kb]: readonly [RouterKind, RouterKind],
  ca: string,
  cb: string,
): [RunningRouter, RunningRouter] {
  return [startRouter(ka, lab.host('a'), folder, ca), startRouter(kb, lab.host('b'), folder, cb)];
}

describe.each(ROLES)('%s with the higher priority, %s with the lower', (ka, kb) => {
  const roles = [ka, kb] as const;

  it('elects by priority, preempts, hands over when leaving, survives kill -9 and a cable cut', async () => {
    const s = scene();
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
    const s = scene();
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

  it('talks version 2 with a password, at one second', async () => {
    const s = scene();
    const auth = 'authentication {\n auth_type PASS\n auth_pass secret\n }';
    const [a, b] = pair(
      s,
      roles,
      vrrpConfig({ version: 2, priority: 254, extra: auth }),
      vrrpConfig({ version: 2, priority: 100, extra: auth }),
    );
    await agreed([a, b], 'a', VIP);
    a.child.kill('SIGTERM');
    await until(() => b.state('VI') === 'MASTER', { what: 'b to take over on priority 0', deadline_ms: 2000 });
  });

  it('talks unicast, in a sync group of two', async () => {
    const s = scene();
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
    const s = scene();
    const vip = 'fe80::100/64\n fd00::100/64';
    const [a, b] = pair(s, roles, vrrpConfig({ priority: 150, vip }), vrrpConfig({ priority: 100, vip }));
    await agreed([a, b], 'a', 'fd00::100');
    a.child.kill('SIGTERM');
    await until(() => s.lab.holders('fd00::100').join() === 'b', { what: 'b to take over' });
  });
});

describe('elections', () => {
  it.each(ROLES)('by address at equal priorities: %s low, %s high', async (ka, kb) => {
    const s = scene();
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
    const s = scene();
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
});

describe('adverts that must not be believed', () => {
  it.each([
    [
      'wrong password',
      2,
      { extra: 'authentication {\n auth_type PASS\n auth_pass other\n }' },
      /its password is not ours/,
    ],
    ['wrong VRID', 3, { vrid: 52 }, null],
    ['another address list', 3, { vip: '10.99.0.101/24' }, /it has 10.99.0.101|it lacks our address/],
    ['another version', 3, { version: 2 }, /it is version 2, ours is 3/],
    ['another interval in version 2', 2, { interval: 3 }, /until they agree both routers can be master/],
  ] as const)('%s', async (_, version, change, message) => {
    const s = scene();
    const auth = version === 2 ? { extra: 'authentication {\n auth_type PASS\n auth_pass secret\n }' } : {};
    const b = startRouter(
      'keepalived',
      s.lab.host('b'),
      s.folder,
      vrrpConfig({ version, priority: 200, ...auth, ...change }),
    );
    // Master first: keepalived takes even a bad advert for a sign of life, and waits on.
    await b.becomes('VI', 'MASTER', 20_000);
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig({ version, priority: 100, ...auth }));
    await a.becomes('VI', 'MASTER');
    if (message !== null) await a.child.untilOutput(message);
    expect(s.lab.host('a').holds(VIP)).toBe(true);
  });

  it('a TTL other than 255', async () => {
    const s = scene();
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig({ priority: 100 }));
    const rule =
      'table ip ttl {\n chain c {\n type filter hook output priority 0;\n ip protocol 112 ip ttl set 254;\n }\n}\n';
    writeFileSync(join(s.folder, 'ttl.nft'), rule);
    s.lab.host('b').exec('nft', '-f', join(s.folder, 'ttl.nft'));
    startRouter('keepalived', s.lab.host('b'), s.folder, vrrpConfig({ priority: 200 }));
    await a.becomes('VI', 'MASTER');
    await a.child.untilOutput(/dropped an advert from 10.99.0.2: its TTL is 254, not 255/);
    expect(s.lab.host('a').holds(VIP)).toBe(true);
  });
});

describe('traps', () => {
  it('announces again when its carrier returns though it stayed master', async () => {
    const s = scene('a', 'client');
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
    const s = scene('a');
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig());
    await a.becomes('VI', 'MASTER');
    s.lab.host('a').block({ direction: 'out' });
    await a.child.untilOutput(/error \(VI\) an advert could not be sent, so others may take over: .*EPERM/);
  });

  it.each(ROLES)('one-way cut and healed: %s deaf, %s goes on', async (ka, kb) => {
    const s = scene();
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
    const s = scene('a', 'b', 'client');
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig());
    await a.becomes('VI', 'MASTER');
    s.lab.host('b').ip(`addr add ${VIP}/32 dev eth0`);
    s.lab.host('client').ip('link set eth0 down', 'link set eth0 up');
    await until(
      () => {
        s.lab.host('client').exec('sh', '-c', `ping -c1 -W1 ${VIP} >/dev/null || true`);
        return /uses our address 10.99.0.100 too/.test(a.child.output);
      },
      { what: 'the conflict to be noticed', interval_ms: 200 },
    );
    await until(() => s.lab.host('client').neighbour(VIP) === s.lab.host('a').mac(), {
      what: "the client's ARP cache to be put right",
      deadline_ms: 5000,
    });
  });

  it('cleans an address left over from a killed run; with vip_lifetime the kernel does', async () => {
    const s = scene('a', 'b');
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
    const s = scene();
    const [a, b] = pair(s, ['tanist', 'tanist'], vrrpConfig({ priority: 150 }), vrrpConfig({ priority: 100 }));
    await agreed([a, b], 'a', VIP);
    a.child.kill('SIGKILL');
    await until(() => s.lab.holders(VIP).join() === 'b', { what: 'b alone to hold the address', deadline_ms: 1500 });
    expect(b.child.output).toMatch(/10.99.0.1 leaves/);
  });

  it('is started again when the router process is killed, and cleans up behind it', async () => {
    const s = scene('a');
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig());
    await a.becomes('VI', 'MASTER');
    const pid = s.lab.host('a').exec('pgrep', '-f', 'router-process.js').trim();
    expect(s.lab.host('a').exec('ip', 'netns', 'identify', pid).trim()).toBe(s.lab.host('a').namespace);
    process.kill(Number(pid), 'SIGKILL');
    await a.child.untilOutput(/the router process died \(SIGKILL\)/);
    await a.child.untilOutput(/an earlier run has left it behind[\s\S]*-> MASTER/);
    expect(s.lab.host('a').holds(VIP)).toBe(true);
  });

  it('puts back an address that somebody removed', async () => {
    const s = scene('a');
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig());
    await a.becomes('VI', 'MASTER');
    s.lab.host('a').ip(`addr del ${VIP}/24 dev eth0`);
    await until(() => s.lab.host('a').holds(VIP), { what: 'the address to be back' });
    await a.child.untilOutput(/somebody removed 10.99.0.100 from eth0/);
  });

  it('waits for an interface that comes later', async () => {
    const s = scene('a');
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

describe('operation', () => {
  it('SIGHUP takes a good file and refuses a bad one, SIGUSR1 and SIGUSR2 dump JSON', async () => {
    const s = scene('a');
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
    const s = scene('a');
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
    const s = scene();
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

  it('needs no more than CAP_NET_RAW and CAP_NET_ADMIN', async () => {
    const s = scene('a');
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig());
    a.child.kill('SIGKILL');
    chmodSync(s.folder, 0o755);
    const { tanistPath } = await import('../support/tanist.js');
    const caps = '+net_raw,+net_admin';
    const args = [
      '--reuid',
      '65534',
      '--regid',
      '65534',
      '--clear-groups',
      '--inh-caps',
      `-all,${caps}`,
      '--ambient-caps',
      `-all,${caps}`,
      '--bounding-set',
      `-all,${caps}`,
    ];
    const child = s.lab.host('a').start('setpriv', [...args, process.execPath, tanistPath, 'vrrp', a.configPath]);
    await until(() => s.lab.host('a').holds(VIP), { what: 'the address' }).catch((error: Error) => {
      throw new Error(`${error.message}\n${child.output}`);
    });
    child.kill('SIGTERM');
    await until(() => !s.lab.host('a').holds(VIP), { what: 'the address to be released' });
  });
});
