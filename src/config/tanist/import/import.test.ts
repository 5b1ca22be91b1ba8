import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findings } from '../findings.js';
import { readTanistConfig } from '../read.js';
import type { GivenHost } from './combine.js';
import { ImportError, type Imported, importFiles } from './import.js';

const fixtures = fileURLToPath(new URL('../../../../test/fixtures/', import.meta.url));

const NOTHING = {
  variable: () => undefined,
  readFile: (): string => {
    throw new Error('ENOENT');
  },
};

/** Imports texts by file name; what comes out is read again as a tanist.yml. */
function bring(files: Readonly<Record<string, string>>, given: readonly GivenHost[] = []) {
  const inputs = Object.entries(files).map(([file, text]) => ({ file, text }));
  const imported = importFiles(inputs, given, NOTHING);
  return { ...imported, config: readTanistConfig(imported.text, '/etc/tanist/tanist.yml', NOTHING) };
}

function fixture(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, readFileSync(fixtures + name, 'utf8')]));
}

const lost = ({ losses }: Imported): string[] => losses.map(({ source, text }) => `${source}: ${text}`);

const hostsOf = (config: { hosts: readonly { name: string; address: string; witness: boolean }[] }): string[] =>
  config.hosts.map(({ name, address, witness }) => `${name} ${address}${witness ? ' witness' : ''}`);

describe('the files of the articles', () => {
  it('of a pair whose scripts name the other host', () => {
    const { config, text, ...rest } = bring(
      fixture('keepalived/redis-pair-backup.conf', 'keepalived/redis-pair-master.conf'),
    );
    expect(text).toBe(`# Made by \`tanist import\`; what each line came from stands behind it.
# To do: redis: if Redis has a password, write \`password_file\` below it
# To do: redis.config: name your redis.conf, without its \`replicaof\`

mode: pair  # two hosts without a Sentinel: VRRP decides
hosts:
  a: 192.168.0.100  # keepalived/redis-pair-master.conf:21
  b: 192.168.0.101  # keepalived/redis-pair-backup.conf:21
redis:
  port: 6379  # keepalived/redis-pair-backup.conf:55
vip: {address: 192.168.0.200/24, interface: eth0, vrid: 50}  # keepalived/redis-pair-backup.conf:45
`);
    expect(config.groups[0]?.failback).toEqual({ when: 'never' });
    const losses = lost({ text, ...rest });
    expect(losses).toContain(
      'keepalived/redis-pair-master.conf:31: nopreempt (keepalived ignores it beside `state MASTER`): `failback: never` means it, and is the default',
    );
    expect(losses).toContain(
      'keepalived/redis-pair-master.conf:57: notify_master: the agent changes roles itself, by proof',
    );
    expect(losses).toContain('keepalived/redis-pair-master.conf:61: notify_fault: a hook (`hooks`) can be told');
    expect(losses).toContain(
      'keepalived/redis-pair-backup.conf:9: vrrp_script chk_redis: the agent watches Redis itself',
    );
  });

  it('of a pair with unicast addresses', () => {
    const result = bring(fixture('keepalived/redis-unicast-master.conf', 'keepalived/redis-unicast-backup.conf'));
    expect(result.config.mode).toBe('pair');
    expect(hostsOf(result.config)).toEqual(['a 192.168.158.11', 'b 192.168.158.12']);
    expect(result.config.groups[0]?.vips).toEqual([
      { address: '192.168.158.13', prefix: 32, interface: 'ens33', vrid: 51 },
    ]);
    expect(lost(result)).toContain(
      'keepalived/redis-unicast-master.conf:5: vrrp_script chk_redis, weight -5: the agent watches Redis itself',
    );
    expect(lost(result)).toContain(
      'keepalived/redis-unicast-backup.conf:14: state BAKCUP is neither MASTER nor BACKUP: taken as BACKUP',
    );
    expect(result.todo).toContain('redis.port: no file tells it; 6379 stands there');
  });

  it('of a sharded pool behind twemproxy', () => {
    const files = fixture('seeds/002-sentinel.conf', 'seeds/002-nutcracker.yml');
    const result = bring(files, [{ name: null, address: '192.168.16.24' }]);
    expect(hostsOf(result.config)).toEqual(['a 192.168.16.22', 'b 192.168.16.24', 'c 192.168.16.23 witness']);
    expect(result.config.groups.map(({ name, hosts, redis }) => [name, redis.port, hosts.join()])).toEqual([
      ['redis_14555_g1_4500', 4_500, 'a,b'],
      ['redis_14555_g2_4501', 4_501, 'a,b'],
    ]);
    expect(result.config.sentinel).toMatchObject({ port: 26_379, downAfter_ms: 2_500, failoverTimeout_ms: 10_000 });
    expect(result.config.proxy?.pools[0]).toMatchObject({
      name: 'redis_14555',
      listen: { host: '0.0.0.0', port: 14_555 },
      // Without these names, every second key would be looked for on the wrong shard.
      ring: [
        { group: 'redis_14555_g1_4500', name: '192.168.16.22:4500', weight: 1 },
        { group: 'redis_14555_g2_4501', name: '192.168.16.22:4501', weight: 1 },
      ],
    });
    expect(lost(result)).toContain(
      'seeds/002-nutcracker.yml:5: auto_eject_hosts: a master that is gone is replaced, and no key moves to another shard',
    );
    expect(lost(result)).toContain('seeds/002-sentinel.conf:5: pidfile: the agent runs under systemd');
    // Nobody told of the replica: an example address stands there, and `tanist check` says so.
    const alone = bring(files);
    expect(hostsOf(alone.config)).toEqual(['a 192.168.16.22', 'b 192.0.2.1', 'c 192.168.16.23 witness']);
    expect(alone.todo[0]).toMatch(/^hosts\.b: write its address in place of 192\.0\.2\.1 /);
    expect(findings(alone.config, NOTHING).map((each) => each.code)).toContain('example-address');
  });

  it('of three containers with Sentinel and keepalived', () => {
    const files = fixture(
      'seeds/004-sentinel.conf',
      'keepalived/redis-sentinel-master.conf',
      'keepalived/redis-sentinel-backup.conf',
    );
    const result = bring(files, [
      { name: 'master', address: '172.19.0.4' },
      { name: 'slave1', address: '172.19.0.3' },
      { name: 'slave2', address: '172.19.0.2' },
    ]);
    expect(hostsOf(result.config)).toEqual(['master 172.19.0.4', 'slave1 172.19.0.3', 'slave2 172.19.0.2']);
    expect(result.config.groups).toMatchObject([
      {
        name: 'redis-ha',
        hosts: ['master', 'slave1', 'slave2'],
        vips: [{ address: '172.19.0.100', prefix: 32, interface: 'eth0', vrid: 1 }],
        failback: { when: 'never' },
      },
    ]);
    // Two agree of three, as the article has it: without other files there must be three.
    expect(hostsOf(bring(files).config)).toEqual(['master 192.0.2.1', 'a 192.0.2.2', 'b 192.0.2.3']);
  });
});

describe('a sentinel.conf that a Sentinel has written', () => {
  const text = `port 26380
requirepass "hunter 2"
loglevel verbose
sentinel myid ${'a'.repeat(40)}
sentinel monitor mymaster 10.0.0.1 6379 3
sentinel down-after-milliseconds mymaster 5000
sentinel auth-user mymaster keeper
sentinel auth-pass mymaster 0123
sentinel parallel-syncs mymaster 2
sentinel client-reconfig-script mymaster /opt/reconfig.sh
sentinel monitor other 10.0.0.2 6379 2
sentinel down-after-milliseconds other 3000
sentinel failover-timeout other 900
sentinel known-replica mymaster 10.0.0.3 6379
sentinel known-replica other 10.0.0.4 6379
sentinel known-sentinel mymaster 10.0.0.9 26379 ${'b'.repeat(40)}
sentinel announce-ip 10.0.0.1
`;

  it('tells of all hosts, and of passwords', () => {
    const result = bring({ 's.conf': text });
    expect(hostsOf(result.config)).toEqual([
      'a 10.0.0.1',
      'b 10.0.0.3',
      'c 10.0.0.2',
      'd 10.0.0.4',
      'e 10.0.0.9 witness',
    ]);
    expect(result.config.groups).toMatchObject([
      {
        name: 'mymaster',
        hosts: ['a', 'b'],
        redis: { auth: { user: 'keeper', password: { value: '0123', from: 'inline' } } },
      },
      { name: 'other', hosts: ['c', 'd'], redis: { auth: null } },
    ]);
    expect(result.config.sentinel).toEqual({
      port: 26_380,
      auth: { value: 'hunter 2', from: 'inline' },
      downAfter_ms: 3_000,
      failoverTimeout_ms: 10_000,
    });
    expect(result.config.logLevel).toBe('verbose');
    expect(lost(result)).toEqual([
      's.conf:6: 5000 ms: there is one `sentinel: down_after` for all groups, the shortest',
      's.conf:9: parallel-syncs: replicas follow a new master one by one',
      's.conf:10: sentinel client-reconfig-script: the proxy and the VIP follow the master by themselves; a hook can be told of it',
      's.conf:13: 900 ms: it may be 1s to 1h; the default holds',
      's.conf:17: sentinel announce-ip: a host is known by its address in `hosts`',
    ]);
    expect(JSON.stringify([result.losses, result.todo])).not.toMatch(/hunter|0123/);
  });

  it('is refused with its places', () => {
    expect(() => bring({ 's.conf': 'sentinel monitor m 10.0.0.1 6379 0\n' })).toThrow(/^s\.conf:1:34: /);
  });
});

describe('a nutcracker.yml', () => {
  const pool = (name: string, port: number, servers: readonly string[], more = ''): string =>
    `${name}:\n  listen: 0.0.0.0:${port}\n  redis: true\n${more}  servers:\n${servers.map((each) => `   - ${each}\n`).join('')}`;

  it('alone tells of masters, and that each has no replica', () => {
    const result = bring({
      'n.yml': pool(
        'keys',
        22_121,
        ['10.0.0.1:6379:1 one', '10.0.0.2:6379:2'],
        '  redis_auth: s3cret\n  hash_tag: "{}"\n',
      ),
    });
    expect(hostsOf(result.config)).toEqual(['a 10.0.0.1', 'b 10.0.0.2', 'c 192.0.2.1 witness']);
    expect(result.config.groups.map(({ name, hosts }) => [name, ...hosts])).toEqual([
      ['one', 'a'],
      ['keys-2', 'b'],
    ]);
    expect(result.config.groups[0]?.redis.auth?.password.value).toBe('s3cret');
    expect(result.config.proxy?.pools[0]).toMatchObject({
      hashTag: '{}',
      auth: { value: 's3cret' },
      ring: [
        { group: 'one', name: 'one', weight: 1 },
        { group: 'keys-2', name: '10.0.0.2:6379', weight: 2 },
      ],
    });
    expect(result.todo).toContain('groups.one: no file tells of a replica: add hosts to it');
  });

  it('gives way where a pool and Redis would have one port', () => {
    const result = bring({ 'n.yml': pool('a b', 6_379, ['10.0.0.1:6379:1']) + pool('c', 22_222, ['10.0.0.1:6379:1']) });
    expect(result.config.proxy).toMatchObject({
      stats: null,
      pools: [
        { name: 'a-b', listen: { port: 16_379 } },
        { name: 'c', listen: { port: 22_222 } },
      ],
    });
    expect(lost(result)).toEqual([
      "n.yml:1: the name 'a b': it is called a-b here",
      'n.yml:1: port 6379 of the pool a-b: something else of every host has it; 16379 stands in its place',
    ]);
  });

  it('of memcached has no place in it', () => {
    expect(() => bring({ 'n.yml': 'm:\n  listen: 0.0.0.0:1\n  servers: [10.0.0.1:11211:1]\n' })).toThrow(
      /^there is no Redis in these files\n {2}n\.yml:1: pool m: it is for memcached/,
    );
  });

  it('that follows Sentinels names its groups', () => {
    const result = bring({
      'n.yml': pool(
        'p',
        22_121,
        ['users:1 10.0.0.7:6379', 'carts'],
        '  sentinels: [10.0.0.1:26379, 10.0.0.2:26379]\n  durability: replicated\n',
      ),
    });
    expect(result.config.groups.map(({ name, redis }) => [name, redis.port])).toEqual([
      ['users', 6_379],
      ['carts', 6_380],
    ]);
    expect(result.config.proxy?.pools[0]?.ring[0]).toEqual({ group: 'users', name: '10.0.0.7:6379', weight: 1 });
    expect(hostsOf(result.config)).toEqual(['a 10.0.0.1', 'b 10.0.0.2', 'c 192.0.2.1']);
    expect(result.config.groups.map((group) => group.durability)).toEqual(['replicated', 'replicated']);
    expect(result.todo).toContain('groups.carts.redis.port: no file tells it; 6380 stands there');
  });
});

describe('files', () => {
  it('of another kind are refused', () => {
    expect(() => bring({ 'x.txt': 'hello\n', 'r.conf': 'port 6379\nsave ""\n' })).toThrow(ImportError);
    expect(() => bring({ 'x.txt': 'hello\n', 'r.conf': 'port 6379\n' })).toThrow(
      'x.txt: this is no keepalived.conf, sentinel.conf or nutcracker.yml\nr.conf: this is no',
    );
  });

  it('of keepalived are followed into the scripts, for what these wait for', () => {
    const conf =
      'vrrp_instance V {\n interface eth0\n virtual_router_id 7\n virtual_ipaddress {\n 10.0.0.9\n }\n notify_master /opt/m.sh\n}\n';
    const outside = { variable: () => undefined, readFile: () => '#!/bin/sh\n  sleep 10 # wait\n' };
    const { losses, text } = importFiles([{ file: 'k.conf', text: conf }], [], outside);
    expect(losses).toContainEqual({
      source: '/opt/m.sh:2',
      text: 'sleep 10: the agent waits for what it can see, not for a time',
    });
    expect(readTanistConfig(text, 'x.yml', NOTHING).mode).toBe('pair');
  });

  it('of a preempting pair keep their failback', () => {
    const conf = (state: string, priority: number, own: number): string =>
      `vrrp_instance V {\n state ${state}\n interface eth0\n virtual_router_id 7\n priority ${priority}\n preempt_delay 60\n unicast_src_ip 10.0.0.${own}\n unicast_peer {\n 10.0.0.${3 - own}\n }\n virtual_ipaddress {\n 10.0.0.9/24\n }\n}\n`;
    const { config } = bring({ 'b.conf': conf('BACKUP', 50, 1), 'a.conf': conf('MASTER', 150, 2) });
    expect(hostsOf(config)).toEqual(['a 10.0.0.2', 'b 10.0.0.1']);
    expect(config.groups[0]?.failback).toEqual({ when: 'after', wait_ms: 60_000 });
  });
});

describe('any cluster', () => {
  const octet = fc.integer({ min: 1, max: 60 });
  const master = fc.record({
    name: fc.constantFrom('mymaster', 'users', '_x', '-odd', 'b.c'),
    host: fc.oneof(
      octet.map((n) => `10.0.0.${n}`),
      fc.constantFrom('db1', 'fd00::7', '0.0.0.0'),
    ),
    port: fc.integer({ min: 7_000, max: 7_020 }),
    quorum: fc.integer({ min: 1, max: 5 }),
    down: fc.integer({ min: 1, max: 900_000 }),
    password: fc
      .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 })
      .filter((word) => /^[^\s"'\\#]+$/.test(word)),
    replicas: fc.uniqueArray(octet, { maxLength: 3 }),
  });
  const masters = fc.uniqueArray(master, { selector: (each) => each.name, maxLength: 4 });
  const pools = fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('p', 'q q', '"7"'),
      port: fc.integer({ min: 22_110, max: 22_130 }),
      host: fc.constantFrom('0.0.0.0', '127.0.0.1', '10.0.0.61', '10.0.1.9'),
      servers: fc.uniqueArray(octet, { minLength: 1, maxLength: 4 }),
    }),
    { selector: (each) => each.name, maxLength: 3 },
  );
  const vip = fc.option(fc.constantFrom('10.0.1.9', '10.0.1.9/24'), { nil: null });

  it('becomes a tanist.yml that is read with the same names, ports, passwords and ring', () => {
    fc.assert(
      fc.property(masters, pools, vip, (someMasters, somePools, someVip) => {
        const files: Record<string, string> = {};
        // Redis's ports differ by group here: two groups on one port of one host cannot be.
        const kept = someMasters.map((each, i) => ({ ...each, port: each.port + 100 * i }));
        if (kept.length > 0) {
          files['s.conf'] = kept
            .map(
              ({ name, host, port, quorum, down, password, replicas }) =>
                `sentinel monitor ${name} ${host} ${port} ${quorum}\nsentinel down-after-milliseconds ${name} ${down}\nsentinel auth-pass ${name} ${password}\n` +
                replicas.map((n) => `sentinel known-replica ${name} 10.0.0.${n} ${port}\n`).join(''),
            )
            .join('');
        }
        if (somePools.length > 0) {
          files['n.yml'] = somePools
            .map(
              ({ name, port, host, servers }) =>
                `${name}:\n  listen: ${host}:${port}\n  redis: true\n  servers:\n${servers.map((n) => `    - 10.0.0.${n}:6379:${n}\n`).join('')}`,
            )
            .join('');
        }
        if (someVip !== null) {
          files['k.conf'] =
            `vrrp_instance V {\n interface eth0\n virtual_router_id 7\n virtual_ipaddress {\n ${someVip}\n }\n}\n`;
        }
        if (Object.keys(files).length === 0) return;
        const sameListen = new Set(somePools.map((each) => `${each.host}:${each.port}`)).size < somePools.length;
        if (sameListen) return;
        const { config } = bring(files);
        for (const [i, { port, password }] of kept.entries()) {
          expect(config.groups[i]?.redis).toMatchObject({ port, auth: { password: { value: password } } });
        }
        for (const [i, pool] of somePools.entries()) {
          const ring = config.proxy?.pools[i]?.ring.map((entry) => [entry.name, entry.weight]);
          expect(ring).toEqual(pool.servers.map((n) => [`10.0.0.${n}:6379`, n]));
        }
        if (someVip !== null) expect(config.groups[0]?.vips).toMatchObject([{ address: '10.0.1.9', vrid: 7 }]);
      }),
      { numRuns: 150 },
    );
  });
});
