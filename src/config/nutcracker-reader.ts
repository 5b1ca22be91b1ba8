/** Reads the keys of one pool of a nutcracker.yml, and collects what is wrong with them. */
import { isScalar, isSeq, type LineCounter, type Node, type YAMLMap } from 'yaml';
import { AddressError } from './nutcracker-address.js';
import type { ConfigProblem, FilePlace } from './nutcracker-types.js';

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
  'durability',
  'read_from',
  'replica_lag_max',
  'hold_timeout',
  'hold_bytes',
  'slowlog_log_slower_than',
  'slowlog_max_len',
  'sentinel_auth',
  'sentinel_auth_file',
  'sentinel_auth_env',
  'sentinel_tls',
  'server_tls',
  'listen_tls',
  'tls_cert',
  'tls_key',
  'tls_ca',
  'tls_auth_clients',
  'users',
] as const;
type Key = (typeof KNOWN_KEYS)[number];

/** The largest delay a timer takes. */
const DELAY_MAX = 2_147_483_647;

/** Collects problems while a file is read. */
export class Problems {
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
export class PoolReader {
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
