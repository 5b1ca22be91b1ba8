/**
 * Reads a nutcracker.yml: every key of twemproxy 0.5's README, and the few that Tanist adds. The whole file is checked
 * before anything is returned; all problems are reported together, each with its line and column.
 */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { AddressError, parseHostPort, parseListen, parseMaster, parseServer } from './nutcracker-address.js';
import {
  type ConfigProblem,
  DISTRIBUTION_NAMES,
  type FilePlace,
  HASH_NAMES,
  type NutcrackerConfig,
  NutcrackerConfigError,
  type PoolConfig,
  type ServerConfig,
  type SocketAddress,
} from './nutcracker-types.js';

const KNOWN_KEYS = [
  'listen',
  'client_connections',
  'hash',
  'hash_tag',
  'distribution',
  'timeout',
  'backlog',
  'tcpkeepalive',
  'preconnect',
  'redis',
  'redis_auth',
  'redis_db',
  'server_connections',
  'auto_eject_hosts',
  'server_retry_timeout',
  'server_failure_limit',
  'reuse_port',
  'servers',
  'sentinels',
  'hold_timeout',
  'hold_bytes',
  'slowlog_log_slower_than',
  'slowlog_max_len',
] as const;
type Key = (typeof KNOWN_KEYS)[number];

/** The largest delay a timer takes. */
const DELAY_MAX = 2_147_483_647;

/** Collects problems while a file is read. */
class Problems {
  readonly list: ConfigProblem[] = [];

  constructor(readonly lines: LineCounter) {}

  place(node: unknown): FilePlace {
    const range = (node as Node | null)?.range;
    if (range === null || range === undefined) return { line: 1, column: 1 };
    const { line, col } = this.lines.linePos(range[0]);
    return { line, column: col };
  }

  add(node: unknown, message: string): void {
    this.list.push({ ...this.place(node), message });
  }
}

/** The keys of one pool, read as strings; each getter reports what is wrong and goes on with the default. */
class PoolReader {
  readonly #values = new Map<string, Node>();
  readonly #problems: Problems;

  constructor(map: YAMLMap, problems: Problems) {
    this.#problems = problems;
    for (const pair of map.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      if (!(KNOWN_KEYS as readonly string[]).includes(key)) {
        problems.add(pair.key, `unknown key '${key}'${suggest(key)}`);
      } else if (pair.value !== null) {
        this.#values.set(key, pair.value as Node);
      }
    }
  }

  node(key: Key): Node | undefined {
    return this.#values.get(key);
  }

  text(key: Key): string | null {
    const node = this.node(key);
    if (node === undefined) return null;
    if (isScalar(node)) return String(node.value);
    this.#problems.add(node, `${key} must be one value`);
    return null;
  }

  flag(key: Key): boolean {
    const text = this.text(key);
    if (text === 'true' || text === 'false' || text === null) return text === 'true';
    this.#problems.add(this.node(key), `${key}: '${text}' must be true or false`);
    return false;
  }

  /** An integer in [low, high], or the default. */
  number(key: Key, fallback: number, low: number, high = DELAY_MAX): number {
    const text = this.text(key);
    if (text === null) return fallback;
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= low && value <= high) return value;
    this.#problems.add(this.node(key), `${key}: '${text}' must be a whole number from ${low} to ${high}`);
    return fallback;
  }

  oneOf<T extends string>(key: Key, names: readonly T[], fallback: T): T {
    const text = this.text(key);
    if (text === null) return fallback;
    const found = names.find((name) => name === text);
    if (found !== undefined) return found;
    this.#problems.add(this.node(key), `${key}: '${text}' is not one of ${names.join(', ')}`);
    return fallback;
  }

  /** A list of one-line entries, each read by `read`; problems land on their own line. */
  entries<T>(key: Key, read: (text: string, place: FilePlace) => T): T[] {
    const node = this.node(key);
    if (node === undefined) return [];
    if (!isSeq(node)) {
      this.#problems.add(node, `${key} must be a list, one '- entry' a line`);
      return [];
    }
    const found: T[] = [];
    for (const item of node.items) {
      if (!isScalar(item)) {
        this.#problems.add(item, `${key}: an entry must be one line of text (quote an address in brackets)`);
        continue;
      }
      try {
        found.push(read(String(item.value), this.#problems.place(item)));
      } catch (error) {
        if (!(error instanceof AddressError)) throw error;
        this.#problems.add(item, error.message);
      }
    }
    return found;
  }
}

function suggest(key: string): string {
  const close = KNOWN_KEYS.find((known) => known.replace(/_/g, '') === key.toLowerCase().replace(/[-_]/g, ''));
  return close === undefined ? `; the keys of a pool are ${KNOWN_KEYS.join(', ')}` : `; did you mean '${close}'?`;
}

function readListen(reader: PoolReader, map: YAMLMap, problems: Problems): SocketAddress {
  const none: SocketAddress = { kind: 'tcp', host: '127.0.0.1', port: 1 };
  const text = reader.text('listen');
  if (text === null) {
    problems.add(map, "this pool has no 'listen'; write host:port or an absolute socket path");
    return none;
  }
  try {
    return parseListen(text);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    problems.add(reader.node('listen'), error.message);
    return none;
  }
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
  for (const key of ['redis_auth', 'redis_db', 'sentinels'] as const) {
    if (!pool.redis && reader.node(key) !== undefined) {
      problems.add(reader.node(key), `${key} needs 'redis: true' in the same pool`);
    }
  }
}

function checkSentinels(pool: PoolConfig, reader: PoolReader, problems: Problems): void {
  if (reader.node('sentinels') === undefined) {
    for (const key of ['hold_timeout', 'hold_bytes'] as const) {
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

function readPool(name: string, map: YAMLMap, problems: Problems): PoolConfig {
  const reader = new PoolReader(map, problems);
  const sentinels = reader.entries('sentinels', (text) => parseHostPort(text, 'sentinels'));
  const follows = reader.node('sentinels') !== undefined;
  const servers = reader.entries('servers', follows ? parseMaster : parseServer);
  const hashTag = reader.text('hash_tag');
  if (hashTag !== null && [...hashTag].length !== 2) {
    problems.add(reader.node('hash_tag'), `hash_tag: '${hashTag}' must be two characters, e.g. "{}"`);
  }
  if (follows && sentinels.length === 0) problems.add(reader.node('sentinels'), "'sentinels' names no sentinel");
  const slowerThan = reader.number('slowlog_log_slower_than', 10_000, -1);
  const pool: PoolConfig = {
    name,
    listen: readListen(reader, map, problems),
    hash: reader.oneOf('hash', HASH_NAMES, 'fnv1a_64'),
    hashTag,
    distribution: reader.oneOf('distribution', DISTRIBUTION_NAMES, 'ketama'),
    timeout_ms: reader.node('timeout') === undefined ? null : reader.number('timeout', 0, 1),
    backlog: reader.number('backlog', 512, 1, 65535),
    clientConnections: reader.number('client_connections', 0, 0),
    tcpKeepalive: reader.flag('tcpkeepalive'),
    preconnect: reader.flag('preconnect'),
    redis: reader.flag('redis'),
    redisAuth: reader.text('redis_auth'),
    redisDb: reader.number('redis_db', 0, 0, 1_000_000),
    serverConnections: reader.number('server_connections', 1, 1, 1024),
    autoEjectHosts: reader.flag('auto_eject_hosts'),
    serverRetryTimeout_ms: reader.number('server_retry_timeout', 30_000, 0),
    serverFailureLimit: reader.number('server_failure_limit', 2, 1),
    reusePort: reader.flag('reuse_port'),
    servers,
    sentinels,
    holdTimeout_ms: reader.number('hold_timeout', 5_000, 0),
    hold_bytes: reader.number('hold_bytes', 64 * 1024 * 1024, 0),
    slowlogLogSlowerThan_us: slowerThan === -1 ? null : slowerThan,
    slowlogMaxLen: reader.number('slowlog_max_len', 128, 0, 10_000),
    place: problems.place(map),
  };
  checkServers(servers, reader, map, problems);
  checkRedisOnly(pool, reader, problems);
  checkSentinels(pool, reader, problems);
  return pool;
}

function checkListenTwins(pools: readonly PoolConfig[], problems: Problems): void {
  const seen = new Map<string, PoolConfig>();
  for (const pool of pools) {
    const { listen } = pool;
    const where = listen.kind === 'tcp' ? `${listen.host}:${listen.port}` : listen.path;
    const twin = seen.get(where);
    if (twin !== undefined) {
      const message = `pool '${pool.name}' listens on ${where}, where pool '${twin.name}' does already`;
      problems.list.push({ ...pool.place, message });
    }
    seen.set(where, pool);
  }
}

/**
 * Reads a nutcracker.yml.
 * @param text the file's content.
 * @param file its name, for messages.
 * @throws {NutcrackerConfigError} with everything that is wrong; nothing is half read.
 */
export function parseNutcracker(text: string, file: string): NutcrackerConfig {
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
      if (isMap(pair.value)) pools.push(readPool(name, pair.value, problems));
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
