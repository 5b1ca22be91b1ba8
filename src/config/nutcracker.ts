/**
 * Reads a nutcracker.yml: every key of twemproxy 0.5's README, and the few that Tanist adds. The whole file is checked
 * before anything is returned; all problems are reported together, each with its line and column.
 */
import { isMap, isScalar, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import {
  AddressError,
  parseHostPort,
  parseListen,
  parseMaster,
  parseServer,
  socketName,
} from './nutcracker-address.js';
import { PoolReader, Problems } from './nutcracker-reader.js';
import { readClientTls, readSentinelAuth, readTls, readUsers } from './nutcracker-security.js';
import {
  DISTRIBUTION_NAMES,
  HASH_NAMES,
  type NutcrackerConfig,
  NutcrackerConfigError,
  type PoolConfig,
  type ServerConfig,
  type SocketAddress,
} from './nutcracker-types.js';
import { OUTSIDE, type Outside } from './outside.js';

function readListen(key: 'listen' | 'listen_tls', reader: PoolReader, problems: Problems): SocketAddress | null {
  const text = reader.text(key);
  if (text === null) return null;
  try {
    return parseListen(text, key);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    problems.add(reader.node(key), error.message);
    return null;
  }
}

function checkListens(reader: PoolReader, map: YAMLMap, problems: Problems): void {
  if (reader.node('listen') !== undefined || reader.node('listen_tls') !== undefined) return;
  problems.add(map, "this pool has no 'listen'; write host:port or an absolute socket path");
}

function checkServers(servers: readonly ServerConfig[], reader: PoolReader, map: YAMLMap, problems: Problems): void {
  if (servers.length === 0 && reader.node('servers') === undefined) {
    problems.add(map, "this pool has no 'servers'");
  } else if (servers.length === 0 && problems.list.length === 0) {
    problems.add(reader.node('servers'), "'servers' is empty");
  }
  const seen = new Map<string, ServerConfig>();
  for (const server of servers) {
    const twin = seen.get(server.name);
    if (twin !== undefined) {
      const message = `server name '${server.name}' is already used in line ${twin.place.line}; ring names must differ`;
      problems.list.push({ ...server.place, message });
    }
    seen.set(server.name, server);
  }
}

function checkRedisOnly(pool: PoolConfig, reader: PoolReader, problems: Problems): void {
  for (const key of ['redis_auth', 'redis_db', 'sentinels', 'users'] as const) {
    if (!pool.redis && reader.node(key) !== undefined) {
      problems.add(reader.node(key), `${key} needs 'redis: true' in the same pool`);
    }
  }
}

/** When a write is acknowledged: when the master has it, or when a replica has it as well. */
const DURABILITIES = ['async', 'replicated'] as const;

/** Where reads go: `prefer_replica` falls back to the master. */
const READ_FROM = ['master', 'prefer_replica'] as const;

const ONLY_WITH_SENTINELS = [
  'durability',
  'read_from',
  'replica_lag_max',
  'hold_timeout',
  'hold_bytes',
  'sentinel_auth',
  'sentinel_auth_file',
  'sentinel_auth_env',
  'sentinel_tls',
] as const;

function checkSentinels(pool: PoolConfig, reader: PoolReader, problems: Problems): void {
  if (reader.node('sentinels') === undefined) {
    for (const key of ONLY_WITH_SENTINELS) {
      if (reader.node(key) !== undefined) problems.add(reader.node(key), `${key} has no meaning without 'sentinels'`);
    }
    return;
  }
  if (pool.autoEjectHosts) {
    problems.add(
      reader.node('auto_eject_hosts'),
      'auto_eject_hosts cannot be used with sentinels: ejecting a shard sends its keys to the other shards, where they are missing or old, and their new values are lost when it returns; sentinels replace the master instead',
    );
  }
  if (pool.distribution === 'random') {
    problems.add(reader.node('distribution'), 'distribution: random cannot be used with sentinels: keys have no shard');
  }
}

function readPool(name: string, map: YAMLMap, outside: Outside, problems: Problems): PoolConfig {
  const reader = new PoolReader(map, problems);
  const sentinels = reader.entries('sentinels', (text) => parseHostPort(text, 'sentinels'));
  const follows = reader.node('sentinels') !== undefined;
  const redisAuth = reader.text('redis_auth');
  const serverTls = readTls('server_tls', reader, outside, problems);
  const durability = reader.oneOf('durability', DURABILITIES, 'async');
  const login = redisAuth === null ? null : { user: '', password: redisAuth };
  const servers = reader
    .entries('servers', follows ? parseMaster : parseServer)
    .map((server) => ({ ...server, login, tls: serverTls, replicated: durability === 'replicated' }));
  const hashTag = reader.text('hash_tag');
  if (hashTag !== null && [...hashTag].length !== 2) {
    problems.add(reader.node('hash_tag'), `hash_tag: '${hashTag}' must be two characters, e.g. "{}"`);
  }
  if (follows && sentinels.length === 0) problems.add(reader.node('sentinels'), "'sentinels' names no sentinel");
  const slowerThan = reader.number('slowlog_log_slower_than', 10_000, -1);
  const pool: PoolConfig = {
    name,
    listen: readListen('listen', reader, problems),
    listenTls: readListen('listen_tls', reader, problems),
    clientTls: readClientTls(reader, outside, problems),
    hash: reader.oneOf('hash', HASH_NAMES, 'fnv1a_64'),
    hashTag,
    distribution: reader.oneOf('distribution', DISTRIBUTION_NAMES, 'ketama'),
    timeout_ms: reader.node('timeout') === undefined ? null : reader.number('timeout', 0, 1),
    backlog: reader.number('backlog', 512, 1, 65535),
    clientConnections: reader.number('client_connections', 0, 0),
    tcpKeepalive: reader.flag('tcpkeepalive'),
    preconnect: reader.flag('preconnect'),
    redis: reader.flag('redis'),
    redisAuth,
    users: readUsers(reader, problems),
    redisDb: reader.number('redis_db', 0, 0, 1_000_000),
    serverConnections: reader.number('server_connections', 1, 1, 1024),
    autoEjectHosts: reader.flag('auto_eject_hosts'),
    serverRetryTimeout_ms: reader.number('server_retry_timeout', 30_000, 0),
    serverFailureLimit: reader.number('server_failure_limit', 2, 1),
    reusePort: reader.flag('reuse_port'),
    servers,
    serverTls,
    sentinels,
    holdTimeout_ms: reader.number('hold_timeout', 5_000, 0),
    hold_bytes: reader.number('hold_bytes', 64 * 1024 * 1024, 0),
    readFrom: reader.oneOf('read_from', READ_FROM, 'master'),
    replicaLagMax_ms: reader.number('replica_lag_max', 5_000, 1_000, 3_600_000),
    slowlogLogSlowerThan_us: slowerThan === -1 ? null : slowerThan,
    slowlogMaxLen: reader.number('slowlog_max_len', 128, 0, 10_000),
    sentinelAuth: readSentinelAuth(reader, outside, problems),
    sentinelTls: readTls('sentinel_tls', reader, outside, problems),
    place: problems.place(map),
  };
  checkListens(reader, map, problems);
  checkServers(servers, reader, map, problems);
  checkRedisOnly(pool, reader, problems);
  checkSentinels(pool, reader, problems);
  return pool;
}

function checkListenTwins(pools: readonly PoolConfig[], problems: Problems): void {
  const seen = new Map<string, PoolConfig>();
  for (const pool of pools) {
    for (const listen of [pool.listen, pool.listenTls]) {
      if (listen === null) continue;
      const where = socketName(listen);
      const twin = seen.get(where);
      if (twin !== undefined) {
        const message = `pool '${pool.name}' listens on ${where}, where pool '${twin.name}' does already`;
        problems.list.push({ ...pool.place, message });
      }
      seen.set(where, pool);
    }
  }
}

/**
 * Reads a nutcracker.yml.
 * @param text the file's content.
 * @param file its name, for messages.
 * @param outside the files and variables that it names.
 * @throws {NutcrackerConfigError} with everything that is wrong; nothing is half read.
 */
export function parseNutcracker(text: string, file: string, outside = OUTSIDE): NutcrackerConfig {
  const lines = new LineCounter();
  const problems = new Problems(lines);
  // All scalars stay text: `redis_auth: 0123` is a password, and a port is checked here, not by YAML.
  const document = parseDocument(text, { lineCounter: lines, schema: 'failsafe', prettyErrors: false });
  for (const error of document.errors) {
    const { line, col } = lines.linePos(error.pos[0]);
    problems.list.push({ line, column: col, message: `YAML: ${error.message}` });
  }
  if (problems.list.length > 0) throw new NutcrackerConfigError(file, problems.list);
  const pools: PoolConfig[] = [];
  if (!isMap(document.contents) || document.contents.items.length === 0) {
    problems.add(document.contents, 'no pool in this file; write a pool name with its keys below it');
  } else {
    for (const pair of document.contents.items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : '';
      if (isMap(pair.value)) pools.push(readPool(name, pair.value, outside, problems));
      else problems.add(pair.key, `pool '${name}' has no keys below it`);
    }
  }
  checkListenTwins(pools, problems);
  if (problems.list.length > 0) {
    throw new NutcrackerConfigError(
      file,
      problems.list.sort((a, b) => a.line - b.line || a.column - b.column),
    );
  }
  return { file, pools };
}
