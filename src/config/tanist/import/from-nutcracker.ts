/** What a nutcracker.yml says of a cluster. */
import { ProblemList } from '../../config-error.js';
import { parseNutcracker } from '../../nutcracker.js';
import type { PoolConfig, ServerConfig } from '../../nutcracker-types.js';
import type { Outside } from '../../outside.js';
import { isLoopback, isWildcard } from '../read-listen.js';
import { branchAt, readYamlTree, type YamlTree } from '../yaml-tree.js';
import type { Facts, PoolFact, ShardFact, Source } from './facts.js';
import { hostRef } from './from-sentinel.js';

/** What becomes of a key that a tanist.yml does not know. */
const LOSSES: Readonly<Record<string, string>> = {
  auto_eject_hosts: 'a master that is gone is replaced, and no key moves to another shard',
  server_retry_timeout: 'the proxy follows the master, and asks no dead one again',
  server_failure_limit: 'the proxy follows the master, and counts no failures',
  backlog: "the agent's pools have no such setting",
  tcpkeepalive: "the agent's pools have no such setting",
  preconnect: "the agent's pools have no such setting",
  server_connections: "the agent's pools have no such setting",
  redis_db: 'keys are in database 0',
  reuse_port: 'use `workers`',
  slowlog_log_slower_than: 'the default holds',
  slowlog_max_len: 'the default holds',
  listen_tls: 'write `tls: {cert: ..., key: ...}` below the pool',
  server_tls: 'write `tls: {ca: ...}` below `redis`',
  sentinel_tls: "the agents' Sentinels speak no TLS",
  sentinel_auth: 'write `password_file` below `sentinel`',
  sentinel_auth_file: 'write it as `password_file` below `sentinel`',
  sentinel_auth_env: 'write it as `password_env` below `sentinel`',
};

/** @throws {NutcrackerConfigError} with every fault of the file. */
export function factsFromNutcracker(text: string, file: string, outside: Outside, facts: Facts): void {
  const { pools } = parseNutcracker(text, file, outside);
  // Read once more for the places of keys, which its reader does not keep.
  const tree = readYamlTree(text, file, new ProblemList());
  for (const pool of pools) takePool(pool, new Keys(tree, file, pool.name), facts);
}

function takePool(pool: PoolConfig, keys: Keys, facts: Facts): void {
  const source = keys.at();
  if (!pool.redis) {
    facts.lose(source, `pool ${pool.name}: it is for memcached, which has no replicas; run it with \`tanist proxy\``);
    return;
  }
  for (const sentinel of pool.sentinels) {
    facts.sentinels = true;
    facts.hosts.push({ ref: hostRef(sentinel.host), as: 'voter', source: keys.at('sentinels') });
  }
  for (const [key, why] of Object.entries(LOSSES)) {
    if (keys.has(key) && !isOff(pool, key)) facts.lose(keys.at(key), `${key}: ${why}`);
  }
  if (pool.distribution === 'random') {
    facts.lose(keys.at('distribution'), 'distribution random: it finds no key again; ketama stands in its place');
  }
  const listen = pool.listen ?? pool.listenTls;
  if (listen === null || listen.kind === 'unix') {
    facts.lose(source, `pool ${pool.name}: it listens on a socket file, and the agent's pools on ports alone`);
    return;
  }
  if (!isWildcard(listen.host) && !isLoopback(listen.host)) {
    facts.hosts.push({ ref: hostRef(listen.host), as: 'voter', source: keys.at('listen') });
    facts.lose(keys.at('listen'), `listen ${listen.host}: every host runs the pool, on all its addresses`);
  }
  facts.pools.push(poolFact(pool, listen.port, keys, facts));
}

/** A key that says what is so anyway is no loss. */
function isOff(pool: PoolConfig, key: string): boolean {
  if (key === 'auto_eject_hosts') return !pool.autoEjectHosts;
  if (key === 'redis_db') return pool.redisDb === 0;
  if (key === 'preconnect') return !pool.preconnect;
  if (key === 'tcpkeepalive') return !pool.tcpKeepalive;
  return key === 'reuse_port' && !pool.reusePort;
}

function poolFact(pool: PoolConfig, port: number, keys: Keys, facts: Facts): PoolFact {
  const held = keys.has('hold_timeout') || keys.has('hold_bytes');
  return {
    name: pool.name,
    port,
    shards: pool.servers.flatMap((server) => shardFact(server, keys, facts)),
    hash: pool.hash,
    hashTag: pool.hashTag,
    distribution: pool.distribution === 'random' ? 'ketama' : pool.distribution,
    password: pool.redisAuth,
    users: pool.users?.map((user) => [user.name, ...user.rules].join(' ')) ?? null,
    timeout_ms: pool.timeout_ms,
    clientConnections: pool.clientConnections,
    hold: held ? { time_ms: pool.holdTimeout_ms, size_bytes: pool.hold_bytes } : null,
    source: keys.at(),
  };
}

function shardFact({ name, target, weight, replicated, place }: ServerConfig, keys: Keys, facts: Facts): ShardFact[] {
  const source = `${keys.file}:${place.line}`;
  const rest = { ring: name, weight, replicated, source };
  switch (target.kind) {
    case 'master':
      return [{ group: target.master, host: null, port: 0, ...rest }];
    case 'group':
      return [{ group: target.group, host: null, port: 0, ...rest }];
    case 'tcp': {
      const host = hostRef(target.host);
      facts.hosts.push({ ref: host, as: 'keeper', source });
      return [{ group: null, host, port: target.port, ...rest }];
    }
    case 'unix':
      facts.lose(source, `server ${target.path}: a socket file cannot be replicated from another host`);
      return [];
  }
}

/** Where the keys of a pool stand. */
class Keys {
  readonly file: string;
  readonly #tree: YamlTree | null;
  readonly #pool: string;

  constructor(tree: YamlTree | null, file: string, pool: string) {
    this.#tree = tree;
    this.file = file;
    this.#pool = pool;
  }

  has(key: string): boolean {
    return this.#tree !== null && branchAt(this.#tree, [this.#pool, key]) !== null;
  }

  at(key?: string): Source {
    const branch = this.#tree && branchAt(this.#tree, key === undefined ? [this.#pool] : [this.#pool, key]);
    return `${this.file}:${branch?.key?.line ?? 1}`;
  }
}
