import { describe, expect, it } from 'vitest';
import { parseNutcracker } from './nutcracker.js';
import { NutcrackerConfigError } from './nutcracker-types.js';

const SERVERS = '  servers:\n   - 127.0.0.1:6379:1\n';

function pool(text: string) {
  const [first] = parseNutcracker(text, 'x.yml').pools;
  if (first === undefined) throw new Error('no pool');
  return first;
}

function problems(text: string): string[] {
  try {
    parseNutcracker(text, 'x.yml');
  } catch (error) {
    if (error instanceof NutcrackerConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('nutcracker.yml', () => {
  it('reads a two-shard pool of addresses as it stands', () => {
    const read = pool(`redis_14555:
  listen: 192.168.16.23:14555
  hash: fnv1a_64
  distribution: ketama
  auto_eject_hosts: true
  redis: true
  server_retry_timeout: 2000
  server_failure_limit: 1
  servers:
   - 192.168.16.22:4500:1
   - 192.168.16.22:4501:1
`);
    expect(read).toMatchObject({
      name: 'redis_14555',
      listen: { kind: 'tcp', host: '192.168.16.23', port: 14555 },
      hash: 'fnv1a_64',
      distribution: 'ketama',
      autoEjectHosts: true,
      redis: true,
      serverRetryTimeout_ms: 2000,
      serverFailureLimit: 1,
      timeout_ms: null,
      backlog: 512,
    });
    expect(read.servers.map((s) => [s.name, s.weight])).toEqual([
      ['192.168.16.22:4500', 1],
      ['192.168.16.22:4501', 1],
    ]);
  });

  it('fills in the defaults of the README', () => {
    expect(pool(`a:\n  listen: 127.0.0.1:1\n${SERVERS}`)).toMatchObject({
      hash: 'fnv1a_64',
      distribution: 'ketama',
      timeout_ms: null,
      backlog: 512,
      clientConnections: 0,
      tcpKeepalive: false,
      preconnect: false,
      redis: false,
      redisAuth: null,
      redisDb: 0,
      serverConnections: 1,
      autoEjectHosts: false,
      serverRetryTimeout_ms: 30000,
      serverFailureLimit: 2,
      reusePort: false,
      slowlogLogSlowerThan_us: 10_000,
      slowlogMaxLen: 128,
      sentinels: [],
    });
  });

  it('reads every key', () => {
    expect(
      pool(`a:
  listen: /tmp/a.sock 0666
  client_connections: 10
  hash: murmur
  hash_tag: "{}"
  distribution: modula
  timeout: 400
  backlog: 1024
  tcpkeepalive: true
  preconnect: true
  redis: true
  redis_auth: 0123
  redis_db: 3
  slowlog_log_slower_than: -1
  slowlog_max_len: 7
  server_connections: 2
  auto_eject_hosts: true
  server_retry_timeout: 5
  server_failure_limit: 3
  reuse_port: true
  servers:
   - 127.0.0.1:6379:1 one
`),
    ).toMatchObject({
      listen: { kind: 'unix', path: '/tmp/a.sock', mode: 0o666 },
      clientConnections: 10,
      hash: 'murmur',
      hashTag: '{}',
      distribution: 'modula',
      timeout_ms: 400,
      backlog: 1024,
      tcpKeepalive: true,
      preconnect: true,
      redisAuth: '0123',
      redisDb: 3,
      slowlogLogSlowerThan_us: null,
      slowlogMaxLen: 7,
      serverConnections: 2,
      serverFailureLimit: 3,
      reusePort: true,
    });
  });

  it('reads servers by address, IPv6, path and name, and omits port 11211 from the ring name', () => {
    const read = pool(`a:
  listen: "[::1]:7000"
  servers:
   - 127.0.0.1:6379:1
   - 127.0.0.1:11211:2
   - "[fe80::1]:6380:3"
   - ::1:6380:3
   - /tmp/a.sock:4
   - host.example:6379:5 five
`);
    expect(read.listen).toEqual({ kind: 'tcp', host: '::1', port: 7000 });
    expect(read.servers.map((s) => [s.name, s.weight, s.target])).toEqual([
      ['127.0.0.1:6379', 1, { kind: 'tcp', host: '127.0.0.1', port: 6379 }],
      ['127.0.0.1', 2, { kind: 'tcp', host: '127.0.0.1', port: 11211 }],
      ['[fe80::1]:6380', 3, { kind: 'tcp', host: 'fe80::1', port: 6380 }],
      ['::1:6380', 3, { kind: 'tcp', host: '::1', port: 6380 }],
      ['/tmp/a.sock:', 4, { kind: 'unix', path: '/tmp/a.sock', mode: null }],
      ['five', 5, { kind: 'tcp', host: 'host.example', port: 6379 }],
    ]);
  });

  it('reads masters by name in a pool that follows sentinels', () => {
    const read = pool(`a:
  listen: 127.0.0.1:1
  redis: true
  sentinels: [127.0.0.1:26379, "[::1]:26380"]
  servers:
   - one
   - two:3 10.0.0.1:6379
`);
    expect(read.sentinels).toEqual([
      { host: '127.0.0.1', port: 26379 },
      { host: '::1', port: 26380 },
    ]);
    expect(read.servers.map((s) => [s.name, s.label, s.weight, s.target])).toEqual([
      ['one', 'one', 1, { kind: 'master', master: 'one' }],
      ['10.0.0.1:6379', 'two', 3, { kind: 'master', master: 'two' }],
    ]);
    expect(read).toMatchObject({ holdTimeout_ms: 5000, hold_bytes: 67108864 });
    expect(read).toMatchObject({ readFrom: 'master', replicaLagMax_ms: 5000, servers: [{ replicated: false }, {}] });
  });

  it('reads how safe writes and how fresh reads are to be', () => {
    const read = pool(`a:
  listen: 127.0.0.1:1
  redis: true
  sentinels: [127.0.0.1:26379]
  durability: replicated
  read_from: prefer_replica
  replica_lag_max: 2000
  servers:
   - one
`);
    expect(read).toMatchObject({ readFrom: 'prefer_replica', replicaLagMax_ms: 2000, servers: [{ replicated: true }] });
  });

  it('names line and column of each problem, all at once', () => {
    const found = problems(`a:
  listen: 127.0.0.1:99999
  hash: nope
  timout: 3
  redis: yes
  hash_tag: abc
  servers:
   - 127.0.0.1:6379
   - 127.0.0.1:6380:1 x
   - 127.0.0.1:6381:1 x
`);
    expect(found.map((line) => line.slice(0, 12).split(' ')[0])).toEqual([
      'x.yml:2:11:',
      'x.yml:3:9:',
      'x.yml:4:3:',
      'x.yml:5:10:',
      'x.yml:6:13:',
      'x.yml:8:6:',
      'x.yml:10:6:',
    ]);
    expect(found[1]).toContain("'nope' is not one of one_at_a_time, md5");
    expect(found[5]).toContain('write host:port:weight');
    expect(found[6]).toContain('already used in line 9');
  });

  it.each([
    ['', 'no pool in this file'],
    ['a:\n', "pool 'a' has no keys"],
    [`a:\n${SERVERS}`, "no 'listen'"],
    ['a:\n  listen: 127.0.0.1:1\n', "no 'servers'"],
    ['a:\n  listen: 127.0.0.1:1\n  servers: []\n', "'servers' is empty"],
    [`a:\n  listen: 22121\n${SERVERS}`, 'lacks a port'],
    [`a:\n  listen: /a.sock 99\n${SERVERS}`, 'octal mode'],
    [`a:\n  listen: 127.0.0.1:1\n  redis: true\n  redis: true\n${SERVERS}`, 'YAML: Map keys must be unique'],
    [`a:\n  listen: 127.0.0.1:1\n  redis_auth: x\n${SERVERS}`, "redis_auth needs 'redis: true'"],
    [`a:\n  listen: 127.0.0.1:1\n  hold_timeout: 5\n${SERVERS}`, "no meaning without 'sentinels'"],
    [`a:\n  listen: 127.0.0.1:1\n  durability: replicated\n${SERVERS}`, "no meaning without 'sentinels'"],
    [`a:\n  listen: 127.0.0.1:1\n  read_from: replica\n${SERVERS}`, "'replica' is not one of master, prefer_replica"],
    [
      `a:\n  listen: 127.0.0.1:1\n  slowlog_log_slower_than: -2\n${SERVERS}`,
      "x.yml:3:28: slowlog_log_slower_than: '-2' must be a whole number from -1 to ",
    ],
    [`a:\n  listen: 127.0.0.1:1\n  slowlog_max_len: 10001\n${SERVERS}`, 'x.yml:3:20: slowlog_max_len: '],
    [`a:\n  listen: 127.0.0.1:1\n  auto-eject-hosts: true\n${SERVERS}`, "did you mean 'auto_eject_hosts'?"],
    [`a:\n  listen: 127.0.0.1:1\n${SERVERS}b:\n  listen: 127.0.0.1:1\n${SERVERS}`, "where pool 'a' does already"],
    [`a:\n  listen: 127.0.0.1:1\n  redis: true\n  sentinels: [h:1]\n${SERVERS}`, 'must be the name of a master'],
    ['a:\n  listen: [\n', 'YAML: '],
  ])('refuses %j', (text, message) => {
    expect(problems(text).join('\n')).toContain(message);
  });

  it('refuses ejection together with sentinels and says what it would cost', () => {
    const text =
      'a:\n  listen: 127.0.0.1:1\n  redis: true\n  auto_eject_hosts: true\n  sentinels: [h:1]\n  servers: [m]\n';
    expect(problems(text)).toEqual([expect.stringContaining('x.yml:4:21: auto_eject_hosts cannot be used')]);
  });
});
