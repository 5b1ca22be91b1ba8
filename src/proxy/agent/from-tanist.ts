/** The pools of a tanist.yml as those of a proxy: each shard is a group, whose master the agent's routes name. */
import {
  type NutcrackerConfig,
  NutcrackerConfigError,
  type PoolConfig,
  type ServerConfig,
} from '../../config/nutcracker-types.js';
import type { GroupConfig, HostConfig, PoolSettings, RingEntry, TanistConfig } from '../../config/tanist/model.js';
import type { TlsSettings } from '../../redis/endpoint.js';
import type { AloneSettings } from '../follow/alone.pure.js';
import { userProblem } from '../users.js';

/** The settings come checked, from one place: where in the file each stood is not known here. */
const NOWHERE = { line: 1, column: 1 };

/** Keys are placed by a name and not by an address, so a group may move to other hosts and ports. */
function serverOf(group: GroupConfig, { name, weight }: RingEntry): ServerConfig {
  const { auth, tls } = group.redis;
  return {
    name,
    label: group.name,
    target: { kind: 'group', group: group.name },
    login: auth === null ? null : { user: auth.user, password: auth.password.value },
    tls,
    replicated: group.durability === 'replicated',
    weight,
    place: NOWHERE,
  };
}

function poolOf(pool: PoolSettings, groups: readonly GroupConfig[]): PoolConfig {
  const listen = { kind: 'tcp', host: pool.listen.host, port: pool.listen.port } as const;
  return {
    name: pool.name,
    listen: pool.tls === null ? listen : null,
    listenTls: pool.tls === null ? null : listen,
    clientTls: pool.tls,
    hash: pool.hash,
    hashTag: pool.hashTag,
    distribution: pool.distribution,
    timeout_ms: pool.timeout_ms,
    backlog: 512,
    clientConnections: pool.clientConnections,
    tcpKeepalive: true,
    preconnect: true,
    redis: true,
    redisAuth: pool.auth?.value ?? null,
    users: pool.users,
    redisDb: 0,
    serverConnections: 1,
    // A shard's keys are on no other shard: its master is replaced instead.
    autoEjectHosts: false,
    serverRetryTimeout_ms: 30_000,
    serverFailureLimit: 2,
    reusePort: false,
    servers: pool.ring.flatMap((entry) =>
      groups.filter(({ name }) => name === entry.group).map((group) => serverOf(group, entry)),
    ),
    serverTls: null,
    sentinels: [],
    holdTimeout_ms: pool.holdTimeout_ms,
    hold_bytes: pool.hold_bytes,
    readFrom: pool.readFrom,
    replicaLagMax_ms: pool.replicaLagMax_ms,
    slowlogLogSlowerThan_us: 10_000,
    slowlogMaxLen: 128,
    sentinelAuth: null,
    sentinelTls: null,
    place: NOWHERE,
  };
}

/**
 * What the proxy of a cluster's agents serves.
 * @throws {NutcrackerConfigError} for rules of users that cannot be carried out, each at its place in the file.
 */
export function fromTanist({ file, proxy, groups }: TanistConfig): NutcrackerConfig {
  const pools = (proxy?.pools ?? []).map((pool) => poolOf(pool, groups));
  const problems = pools.flatMap(({ users }) =>
    (users ?? []).flatMap((user) => {
      const message = userProblem(user);
      return message === null ? [] : [{ ...user.place, message }];
    }),
  );
  if (problems.length > 0) throw new NutcrackerConfigError(file, problems);
  return { file, pools };
}

/**
 * What the proxy of a host goes by while its agent is away.
 * @param tls how the Sentinels are spoken to; texts, not buffers
 */
export function aloneSettings(config: TanistConfig, self: HostConfig, tls: TlsSettings | null): AloneSettings {
  const { hosts, sentinel, groups, mode, lease } = config;
  return {
    self: self.address,
    sentinels: hosts
      .filter(({ name }) => name !== self.name)
      .map(({ address }) => ({ host: address, port: sentinel.port })),
    login: sentinel.auth === null ? null : { user: '', password: sentinel.auth.value },
    tls,
    leaseTtl_ms: mode === 'pair' ? null : lease.ttl_ms,
    groups: groups.map(({ name }) => name),
  };
}
