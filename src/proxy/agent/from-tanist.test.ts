import { describe, expect, it } from 'vitest';
import type { GroupConfig, PoolSettings, TanistConfig } from '../../config/tanist/model.js';
import { aloneSettings, fromTanist } from './from-tanist.js';

function group(name: string, redis: Partial<GroupConfig['redis']> = {}): GroupConfig {
  return {
    name,
    hosts: ['a', 'b'],
    redis: {
      port: 6379,
      program: 'redis-server',
      config: null,
      directory: '/d',
      attach: false,
      auth: null,
      tls: null,
      bind: [],
      hangAfter_ms: 1000,
      busyLimit_ms: 5000,
      candidateLagMax_bytes: null,
      ...redis,
    },
    vips: [],
    durability: 'async',
    failback: { when: 'never' },
  };
}

const pool: PoolSettings = {
  name: 'main',
  listen: { host: '0.0.0.0', port: 22121 },
  tls: null,
  groups: ['two', 'one'],
  ring: [
    { group: 'two', name: 'two', weight: 1 },
    { group: 'one', name: 'shard-1', weight: 3 },
  ],
  hash: 'fnv1a_64',
  hashTag: '{}',
  distribution: 'ketama',
  auth: { value: 'secret', from: 'inline' },
  users: null,
  timeout_ms: null,
  clientConnections: 0,
  holdTimeout_ms: 5000,
  hold_bytes: 1024,
  readFrom: 'master',
  replicaLagMax_ms: 5000,
};

function cluster(pools: readonly PoolSettings[], groups: readonly GroupConfig[]): TanistConfig {
  return {
    file: 'tanist.yml',
    cluster: 'tanist',
    mode: 'quorum',
    hosts: [],
    groups,
    lease: { ttl_ms: 1000 },
    sentinel: { port: 26379, auth: null, downAfter_ms: 1000, failoverTimeout_ms: 10_000 },
    proxy: { workers: 1, pools, stats: null },
    api: { host: '127.0.0.1', port: 8008, token: null },
    arbiter: null,
    hooks: [],
    stateDirectory: '/s',
    logLevel: 'notice',
  };
}

describe('the pools of a tanist.yml', () => {
  it('have groups for shards, in the order of the pool, each with its own login', () => {
    const auth = { user: 'app', password: { value: 'pw', from: 'file' as const } };
    const { pools } = fromTanist(cluster([pool], [group('one', { auth }), group('two'), group('other')]));
    expect(pools).toHaveLength(1);
    expect(pools[0]?.servers.map(({ name, target, login, weight }) => ({ name, target, login, weight }))).toEqual([
      { name: 'two', target: { kind: 'group', group: 'two' }, login: null, weight: 1 },
      {
        name: 'shard-1',
        target: { kind: 'group', group: 'one' },
        login: { user: 'app', password: 'pw' },
        weight: 3,
      },
    ]);
    expect(pools[0]).toMatchObject({
      listen: { kind: 'tcp', host: '0.0.0.0', port: 22121 },
      listenTls: null,
      redis: true,
      redisAuth: 'secret',
      hashTag: '{}',
      hold_bytes: 1024,
    });
  });

  it('listen for TLS alone when it is set', () => {
    const tls = { cert: 'c', key: 'k', ca: null, authClients: 'no' } as const;
    const { pools } = fromTanist(cluster([{ ...pool, tls }], [group('one'), group('two')]));
    expect(pools[0]).toMatchObject({ listen: null, listenTls: { port: 22121 }, clientTls: tls });
  });

  it('are refused for a rule that no user can have, at its place', () => {
    const users = [{ name: 'app', rules: ['on', '%R~x'], place: { line: 7, column: 3 } }];
    const config = cluster([{ ...pool, users }], [group('one'), group('two')]);
    expect(() => fromTanist(config)).toThrow(/^tanist\.yml:7:3: /);
  });

  it('are none when there is no proxy', () => {
    expect(fromTanist({ ...cluster([], []), proxy: null }).pools).toEqual([]);
  });
});

describe('what a proxy goes by without its agent', () => {
  const hosts = ['a', 'b', 'w'].map((name, i) => ({
    name,
    address: `10.0.0.${i + 1}`,
    witness: name === 'w',
    interface: null,
  }));
  const whole = (mode: 'quorum' | 'pair', ttl_ms: number | null): TanistConfig =>
    ({
      mode,
      hosts,
      groups: [group('one')],
      lease: { ttl_ms },
      sentinel: { port: 26379, auth: { value: 's3cret', from: 'file' } },
    }) as unknown as TanistConfig;
  const [self] = hosts;

  it('is the other voters, and the lease', () => {
    if (self === undefined) throw new Error('there are hosts');
    expect(aloneSettings(whole('quorum', 1_000), self, null)).toEqual({
      self: '10.0.0.1',
      sentinels: ['10.0.0.2', '10.0.0.3'].map((host) => ({ host, port: 26379 })),
      login: { user: '', password: 's3cret' },
      tls: null,
      leaseTtl_ms: 1_000,
      groups: ['one'],
    });
  });

  it('is no lease in a pair', () => {
    if (self === undefined) throw new Error('there are hosts');
    expect(aloneSettings(whole('pair', 1_000), self, null).leaseTtl_ms).toBeNull();
  });
});
