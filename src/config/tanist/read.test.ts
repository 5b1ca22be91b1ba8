import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeCertificates } from '../../../test/support/certificates.js';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { leaveOut } from '../../../test/support/needs.js';
import { ConfigError } from '../config-error.js';
import { OUTSIDE, type Outside } from '../outside.js';
import { readTanistConfig } from './read.js';

const cleanup = cleanupAfterEach();

const THREE = 'hosts: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3}\n';

/** Files and variables that a test makes up; the disk is not looked at. */
function outside(files: Record<string, string> = {}, variables: Record<string, string> = {}): Outside {
  return {
    variable: (name) => variables[name],
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error('ENOENT: no such file');
      return text;
    },
  };
}

function read(text: string, from: Outside = outside()) {
  return readTanistConfig(text, '/etc/tanist/tanist.yml', from);
}

/** What is wrong, as the terminal shows it. */
function refusal(text: string, from: Outside = outside()): string {
  try {
    readTanistConfig(text, 'x.yml', from);
  } catch (error) {
    if (error instanceof ConfigError) return error.format();
    throw error;
  }
  return '';
}

describe('a tanist.yml', () => {
  it('needs no more than hosts', () => {
    expect(read(THREE)).toEqual({
      file: '/etc/tanist/tanist.yml',
      cluster: 'tanist',
      mode: 'quorum',
      hosts: ['a', 'b', 'c'].map((name, i) => ({
        name,
        address: `10.0.0.${i + 1}`,
        witness: false,
        interface: null,
      })),
      groups: [
        {
          name: 'mymaster',
          hosts: ['a', 'b', 'c'],
          redis: {
            port: 6379,
            program: 'redis-server',
            config: null,
            directory: '/var/lib/tanist/mymaster',
            attach: false,
            auth: null,
            tls: null,
            bind: [],
            hangAfter_ms: 1_000,
            busyLimit_ms: 15_000,
            candidateLagMax_bytes: null,
          },
          vips: [],
          durability: 'async',
          failback: { when: 'never' },
        },
      ],
      lease: { ttl_ms: 1_000 },
      sentinel: { port: 26_379, auth: null, downAfter_ms: 1_000, failoverTimeout_ms: 10_000 },
      proxy: null,
      api: { host: '127.0.0.1', port: 8_008, token: null },
      arbiter: null,
      hooks: [],
      stateDirectory: '/var/lib/tanist',
      logLevel: 'notice',
    });
  });

  it('has short forms for what most people write', () => {
    const short = read(`${THREE}vip: 10.0.0.100/24\nlease: 500ms\nproxy: 22121\napi: 8080\nfailback: manual\n`);
    const long = read(
      `${THREE}vip: [{address: 10.0.0.100/24}]\nlease: {ttl: 500}\nproxy: {pools: {default: {listen: 22121}}}\n` +
        'api: {listen: 127.0.0.1:8080}\ngroups:\nfailback: manual\n'.replace('groups:\n', ''),
    );
    expect(short).toEqual(long);
    expect(short.groups[0]?.vips).toEqual([{ address: '10.0.0.100', prefix: 24, interface: null, vrid: 100 }]);
    expect(short.proxy?.pools[0]).toMatchObject({ listen: { host: '0.0.0.0', port: 22_121 }, groups: ['mymaster'] });
    expect(short).toMatchObject({ lease: { ttl_ms: 500 }, api: { host: '127.0.0.1', port: 8_080 } });
  });

  it('lets a group say what differs', () => {
    const config = read(
      `${THREE.replace('}', ', w: {address: "fd00::1", witness: true, interface: eth1}}')}` +
        'redis: {port: 7000, directory: data, config: redis.conf, candidate_lag_max: 64mb, user: u, password: p, bind: 0.0.0.0}\n' +
        'durability: replicated\n' +
        'groups:\n' +
        '  one: {hosts: [c, a], redis: {port: 7001, password: q, hang_after: 2s}, failback: {after: 10m}}\n' +
        '  two: {durability: async, vip: {address: 10.0.0.0/16, interface: eth0, vrid: 9}}\n',
    );
    const [one, two] = config.groups;
    expect(one).toMatchObject({
      hosts: ['c', 'a'],
      durability: 'replicated',
      failback: { when: 'after', wait_ms: 600_000 },
      redis: {
        port: 7_001,
        config: '/etc/tanist/redis.conf',
        directory: '/etc/tanist/data/one',
        auth: { user: 'u', password: { value: 'q', from: 'inline' } },
        hangAfter_ms: 2_000,
        bind: ['0.0.0.0'],
      },
    });
    expect(two).toMatchObject({
      hosts: ['a', 'b', 'c'],
      durability: 'async',
      redis: { port: 7_000, directory: '/etc/tanist/data/two', candidateLagMax_bytes: 64 * 1024 * 1024 },
      vips: [{ address: '10.0.0.0', prefix: 16, interface: 'eth0', vrid: 9 }],
    });
    expect(config.hosts[3]).toEqual({ name: 'w', address: 'fd00::1', witness: true, interface: 'eth1' });
  });

  it('shards keys over groups, and keeps them where nutcracker put them', () => {
    const config = read(
      `${THREE}groups: {one: {}, two: {redis: {port: 6380}}}\n` +
        'proxy:\n  workers: 2\n  stats: off\n  pools:\n' +
        '    keys:\n      listen: :22121\n      groups: [{group: two, name: "10.0.0.1:6379", weight: 3}, one]\n' +
        '      hash: murmur\n      hash_tag: "{}"\n      distribution: modula\n      hold: {time: 2s, size: 1mb}\n' +
        '      timeout: 400ms\n      users: ["alice on >secret ~* +@all"]\n' +
        '    all: {listen: 22122, hold: 1s}\n',
    );
    expect(config.proxy).toMatchObject({ workers: 2, stats: null });
    expect(config.proxy?.pools[0]).toMatchObject({
      listen: { host: '0.0.0.0', port: 22_121 },
      groups: ['two', 'one'],
      ring: [
        { group: 'two', name: '10.0.0.1:6379', weight: 3 },
        { group: 'one', name: 'one', weight: 1 },
      ],
      hashTag: '{}',
      holdTimeout_ms: 2_000,
      hold_bytes: 1024 * 1024,
      timeout_ms: 400,
      users: [{ name: 'alice', rules: ['on', '>secret', '~*', '+@all'], place: { line: 15, column: 15 } }],
    });
    expect(config.proxy?.pools[1]).toMatchObject({ groups: ['one', 'two'], holdTimeout_ms: 1_000 });
  });

  it('takes secrets from files and the environment', () => {
    const there = outside({ '/etc/tanist/secret': 's3cret\nmore\n', '/run/token': 'tok\r\n' }, { PASS: 'word' });
    const config = read(
      `${THREE}redis: {password_file: secret}\nsentinel: {password_env: PASS}\napi: {listen: 0.0.0.0:8008, token_file: /run/token}\n`,
      there,
    );
    expect(config.groups[0]?.redis.auth).toEqual({ user: '', password: { value: 's3cret', from: 'file' } });
    expect(config.sentinel.auth).toEqual({ value: 'word', from: 'environment' });
    expect(config.api.token).toEqual({ value: 'tok', from: 'file' });
  });

  it('knows two hosts as a pair', () => {
    const config = read('mode: pair\nhosts: {a: 10.0.0.1, b: 10.0.0.2}\nvip: 10.0.0.100\narbiter: 10.0.0.254\n');
    expect(config).toMatchObject({ mode: 'pair', lease: { ttl_ms: null }, arbiter: '10.0.0.254' });
    expect(config.groups[0]?.vips).toEqual([{ address: '10.0.0.100', prefix: 32, interface: null, vrid: 100 }]);
  });

  it('takes the virtual router id from the address, the same on every host', () => {
    const vrids = (vip: string): number[] =>
      read(`${THREE}vip: ${vip}\n`).groups[0]?.vips.map((each) => each.vrid) ?? [];
    expect(vrids('10.1.0.0/16')).toEqual([255]);
    expect(vrids('"fd00::1:2a/64"')).toEqual([42]);
    expect(vrids('[10.0.0.7, 10.0.0.8, "fd00::9"]')).toEqual([7, 7, 9]);
    expect(vrids('[{address: 10.0.0.7, vrid: 3}, 10.0.0.8]')).toEqual([3, 3]);
  });

  it('reads hooks', () => {
    const config = read(
      `${THREE}hooks: [{on: role, run: [/bin/tell, "a b"]}, {name: web, post: "https://x/y", timeout: 3s}]\n`,
    );
    expect(config.hooks).toEqual([
      { name: 'hook-1', on: ['role'], action: { kind: 'run', command: ['/bin/tell', 'a b'] }, timeout_ms: 10_000 },
      {
        name: 'web',
        on: ['role', 'vip', 'leader', 'failover', 'fence', 'health'],
        action: { kind: 'post', url: 'https://x/y' },
        timeout_ms: 3_000,
      },
    ]);
  });

  it('keeps hosts, groups and pools in the order of the file, whatever they are called', () => {
    const config = read(
      'hosts: {b: 10.0.0.2, 3: 10.0.0.3, 1: 10.0.0.1}\ngroups: {z: {}, 2: {redis: {port: 1}}}\n' +
        'proxy: {pools: {p: {listen: 2}, 1: {listen: 3}}}\n',
    );
    expect(config.hosts.map((host) => host.name)).toEqual(['b', '3', '1']);
    expect(config.groups.map((group) => group.name)).toEqual(['z', '2']);
    expect(config.groups[0]?.hosts).toEqual(['b', '3', '1']);
    expect(config.proxy?.pools.map((pool) => pool.name)).toEqual(['p', '1']);
  });

  it('may use anchors, merge keys, and keys of its own to hang them on', () => {
    const config = read(
      `x-redis: &redis {port: 7000, program: valkey-server}\n${THREE}groups:\n  one: {redis: *redis}\n  two: {redis: {<<: *redis, port: 7001}}\n`,
    );
    expect(config.groups.map((group) => [group.redis.port, group.redis.program])).toEqual([
      [7_000, 'valkey-server'],
      [7_001, 'valkey-server'],
    ]);
  });

  it('reads certificates', async (context) => {
    const certificates = await makeCertificates(cleanup);
    if (certificates === null) return leaveOut(context, 'openssl is not installed');
    const { caFile: ca, certFile: cert, keyFile: key } = certificates;
    const config = read(
      `${THREE}redis: {tls: {ca: ${ca}, cert: ${cert}, key: ${key}}}\nproxy: {pools: {p: {listen: 1, tls: {cert: ${cert}, key: ${key}}}}}\n`,
      OUTSIDE,
    );
    expect(config.groups[0]?.redis.tls).toMatchObject({
      servername: null,
      anyName: true,
      insecure: false,
      ca: expect.stringMatching(/^-----BEGIN/),
    });
    expect(config.proxy?.pools[0]?.tls).toMatchObject({ authClients: 'yes', ca: null });
    expect(refusal(`${THREE}redis: {tls: {cert: ${cert}}}\n`, OUTSIDE)).toContain('a certificate needs its key');
    expect(refusal(`${THREE}redis: {tls: {ca: ${key}}}\n`, OUTSIDE)).toContain('does not hold one in PEM format');
  });
});

describe('a tanist.yml that is refused', () => {
  it('shows the place, the fault and the fix, all of them at once', () => {
    expect(
      refusal(
        'hosts:\n  a: 10.0.0.1\n  b: db2.example.org\n  c: {addres: 10.0.0.3}\nredis:\n  prot: 6379\n  hang_after: 1 s\nlease: 100ms\napi: 0.0.0.0:8008\n',
      ),
    ).toBe(
      [
        "x.yml:3:6: hosts.b must be an IP address; an address is not a name that may point elsewhere tomorrow; it is 'db2.example.org'",
        '      b: db2.example.org',
        '         ^^^^^^^^^^^^^^^',
        '  fix: write an address such as 10.0.0.1',
        'x.yml:4:3: hosts.c.address is missing',
        '  fix: write an address such as 10.0.0.1',
        "x.yml:4:7: unknown key 'addres' in hosts.c",
        '  fix: did you mean `address`?',
        "x.yml:6:3: unknown key 'prot' in redis",
        '  fix: did you mean `port`?',
        "x.yml:7:15: redis.hang_after must be a duration from 100ms to 10m; it is '1 s'",
        '      hang_after: 1 s',
        '                  ^^^',
        '  fix: write e.g. 500ms, 1s, 10m or 1h; a bare number is milliseconds',
        "x.yml:8:8: lease must be a duration from 200ms to 1m; it is '100ms'",
        '    lease: 100ms',
        '           ^^^^^',
        '  fix: write e.g. 500ms, 1s, 10m or 1h; a bare number is milliseconds',
        'x.yml:9:6: the API listens on 0.0.0.0 without a token: whoever reaches it could fail over',
        '    api: 0.0.0.0:8008',
        '         ^^^^^^^^^^^^',
        '  fix: add token_file, token_env or token below `api`, or listen on 127.0.0.1',
      ].join('\n'),
    );
  });

  it.each([
    ['', 'x.yml:1:1: the file must be a map'],
    ['hosts: {}\n', 'there is no host'],
    ['vip: 10.0.0.1\n', 'hosts is missing'],
    ['hosts: {a: 10.0.0.1, b: 10.0.0.2}\n', 'or write `mode: pair`'],
    ['hosts: {a: {address: 10.0.0.1, witness: true}}\n', 'every host is a witness'],
    ['hosts: {a: 10.0.0.1, b: 10.0.0.1, c: 10.0.0.3}\n', 'hosts.b has the address of hosts.a'],
    [`${THREE}redis: {bind: localhost}\n`, 'redis.bind must be an IP address or a list'],
    ['hosts: {a: 0.0.0.0}\n', 'hosts.a must be an IP address'],
    ['hosts: {a: 224.0.0.1}\n', 'hosts.a must be an IP address'],
    ['hosts: {a: fe80::1%eth0}\n', 'hosts.a must be an IP address'],
    ['hosts: {"a b": 10.0.0.1}\n', 'hosts.a b must be letters'],
    ['hosts: {__proto__: 10.0.0.1, a: 10.0.0.2}\n', 'a key cannot be called __proto__'],
    [`mode: pair\n${THREE}`, '`mode: pair` is for two hosts, and there are 3'],
    ['mode: pair\nhosts: {a: 10.0.0.1, b: {address: 10.0.0.2, witness: true}}\n', 'beside the witness b'],
    ['mode: pair\nhosts: {a: 10.0.0.1, b: 10.0.0.2}\n', 'mymaster has no `vip`'],
    ['mode: pair\nhosts: {a: 10.0.0.1, b: 10.0.0.2}\nvip: 10.0.0.9\nlease: 1s\n', '`lease` has no meaning'],
    [`${THREE}arbiter: 10.0.0.254\n`, '`arbiter` has no meaning'],
    ['mode: pair\nhosts: {a: 10.0.0.1, b: 10.0.0.2}\nvip: 10.0.0.9\narbiter: 10.0.0.2\n', 'the arbiter is the host b'],
    [`${THREE}vip: 10.0.0.2/24\n`, 'the VIP 10.0.0.2 is the address of the host b'],
    [`${THREE}vip: [10.0.0.9, 10.0.0.9]\n`, 'the VIP 10.0.0.9 is a VIP already'],
    [`${THREE}vip: 10.0.0.9/33\n`, '/33 is no prefix length from 1 to 32'],
    [`${THREE}vip: 10.0.0.999\n`, "'10.0.0.999' is not an IP address"],
    [`${THREE}vip: [10.0.0.9, {address: 10.0.0.10, vrid: 4}]\n`, 'the VIPs of a group move as one'],
    [`${THREE}groups: {a: {vip: 10.0.0.9}, b: {vip: 10.0.1.9, redis: {port: 1}}}\n`, 'have the same vrid, 9'],
    [`${THREE}groups: {a: {}, b: {}}\n`, 'Redis of b and Redis of a would both listen on port 6379'],
    [
      `${THREE}redis: {port: 26379}\n`,
      'x.yml:2:15: the Sentinel API and Redis of mymaster would both listen on port 26379',
    ],
    [`${THREE}proxy: 6379\n`, 'x.yml:2:8: the pool default and Redis of mymaster'],
    [`${THREE}groups: {}\n`, 'there is no group'],
    [`${THREE}groups: {a: {hosts: [a, z]}}\n`, "there is no host 'z'"],
    [`${THREE}groups: {a: {hosts: [a, a]}}\n`, "the host 'a' is named twice"],
    [
      'hosts: {a: 10.0.0.1, w: {address: 10.0.0.2, witness: true}, b: 10.0.0.3}\ngroups: {g: {hosts: [w]}}\n',
      'is a witness',
    ],
    [`${THREE}groups: {a: {hosts: [a], durability: replicated}}\n`, 'a has one host'],
    [`${THREE}vip: 10.0.0.9\ngroups: {a: {}}\n`, 'x.yml:2:1: `vip` beside `groups`'],
    [`${THREE}groups: {a: {redis: {directory: /d}}, b: {redis: {port: 1, directory: /d}}}\n`, 'in one directory, /d'],
    [`${THREE}redis: {user: x}\n`, '`user` without a password'],
    [`${THREE}redis: {password: x, password_env: Y}\n`, 'password_env beside password'],
    [`${THREE}redis: {password_file: /nowhere}\n`, "redis.password_file: cannot read '/nowhere'"],
    [`${THREE}redis: {password_env: NOWHERE}\n`, "the environment has no 'NOWHERE'"],
    [`${THREE}redis: {hang_after: 1m}\n`, 'busy_limit is less than hang_after'],
    [`${THREE}redis: {candidate_lag_max: lots}\n`, 'redis.candidate_lag_max must be a size'],
    [`${THREE}proxy: {pools: {}}\n`, 'there is no pool'],
    [`${THREE}proxy: {pools: {p: {}}}\n`, 'proxy.pools.p.listen is missing'],
    [`${THREE}proxy: {pools: {p: {listen: 1, groups: [nix]}}}\n`, "there is no group 'nix'"],
    [`${THREE}proxy: {pools: {p: {listen: 1, groups: [mymaster, mymaster]}}}\n`, 'is in the pool twice'],
    [`${THREE}proxy: {pools: {p: {listen: 10.0.0.1:1}}}\n`, 'write the port alone: 1'],
    [`${THREE}proxy: {pools: {p: {listen: 1, distribution: random}}}\n`, 'gives keys no shard'],
    [`${THREE}proxy: {pools: {p: {listen: 1}, q: {listen: 1}}}\n`, 'would both listen on port 1'],
    [`${THREE}proxy: {pools: {p: {listen: 1, hash: fnv}}}\n`, 'proxy.pools.p.hash must be one of one_at_a_time'],
    [`${THREE}hooks: [{on: role}]\n`, 'this hook does nothing'],
    [`${THREE}hooks: [{run: [x], post: "http://x"}]\n`, '`post` beside `run`'],
    [`${THREE}hooks: [{run: echo hi}]\n`, 'there is no shell'],
    [`${THREE}hooks: [{name: x, run: [x]}, {name: x, run: [x]}]\n`, "two hooks are called 'x'"],
    [`${THREE}redis:\n\tport: 1\n`, 'YAML: '],
    [`${THREE}${THREE}`, 'x.yml:2:1: YAML: this key stands here twice'],
    [`${THREE}redis: *none\n`, 'an alias (*name) without its anchor'],
    [`${THREE}redis: {<<: 1}\n`, '`<<` merges maps only'],
    [`${THREE}x: ${'['.repeat(5_000)}\n`, 'nested too deeply'],
    [`x-a: &a [*a]\n${THREE}`, 'more than 32 levels deep'],
  ])('%j', (text, message) => {
    expect(refusal(text)).toContain(message);
  });

  it('does not grow by aliases of aliases', () => {
    let text = 'x-0: &a0 {k: v}\n';
    for (let i = 1; i < 12; i += 1)
      text += `x-${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]\n`;
    expect(refusal(text + THREE)).toContain('more than 20000 values');
  });

  it.each([
    'redis: {password: SECRET, port: x}',
    'redis: {pasword: SECRET}',
    'redis: {password: [SECRET]}',
    'redis: {password:SECRET}',
    'redis: {password:SECRET: 1}',
    'redis: {password: !SECRET}',
    'redis: {password: *SECRET}',
    'redis: {password: "SECRET}',
    'redis: {password: "SECRET" x}',
    'redis: {password: @SECRET}',
    'redis:\n  password:SECRET',
    'redis:\n  password: |\n SECRET',
    'redis:\n password: SECRET\n  port: 1',
    'redis: {user: a, password: {SECRET: SECRET}}',
    'api: {token: SECRET, listen: x}',
    'proxy: {pools: {p: {listen: 1, users: [{alice: SECRET}, "bob >SECRET", "bob >SECRET"]}}}',
    'hooks: [{post: "SECRET://x"}, {run: "x SECRET"}]',
  ])('shows nothing of the secret in %j', (text) => {
    const shown = refusal(`${THREE}${text.replaceAll('SECRET', 'hunter2')}\n`);
    expect(shown).not.toBe('');
    expect(shown).not.toContain('hunter2');
  });
});

describe('any text', () => {
  const words = [
    'hosts',
    'a',
    'redis',
    'port',
    'vip',
    'groups',
    'lease',
    'proxy',
    'pools',
    'listen',
    'api',
    'hooks',
    'run',
    '<<',
  ];
  const leaf = fc.oneof(
    fc.constantFrom(
      '10.0.0.1',
      '10.0.0.2',
      'off',
      '1s',
      '22121',
      '"x"',
      'true',
      'null',
      '*n',
      '&n 1',
      '-1',
      '[]',
      '{}',
      '~',
    ),
    fc.integer(),
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ maxDepth: 4 }, leaf.map(String), tie('map'), tie('list')),
    map: fc
      .array(fc.tuple(fc.constantFrom(...words), tie('any')), { maxLength: 5 })
      .map((pairs) => `{${pairs.map(([k, v]) => `${k}: ${String(v)}`).join(', ')}}`),
    list: fc.array(tie('any'), { maxLength: 4 }).map((items) => `[${items.join(', ')}]`),
  }));

  it('is read or refused with a place and a fix', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc
        .array(fc.tuple(fc.constantFrom(...words, 'mode', 'sentinel'), value.any), { maxLength: 8 })
        .map((pairs) => pairs.map(([k, v]) => `${k}: ${String(v)}`).join('\n')),
    );
    fc.assert(
      fc.property(anything, (text) => {
        try {
          read(text);
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          for (const problem of error.problems) {
            expect(problem.message).not.toBe('');
            expect(problem.fix).not.toBe('');
            expect(problem.line).toBeGreaterThan(0);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
