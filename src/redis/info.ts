/**
 * Reads what INFO answers. Pure: no `node:*` import, for the Sentinel core decides by it. Whatever is garbled, unknown
 * or missing reads as null or is passed over: a master must not look dead because a line of its INFO is new.
 */

/** A replica as its master lists it. */
export interface InfoReplica {
  /** An IP or a host name, as the replica announces itself. */
  readonly host: string;
  readonly port: number;
  /** `online`, `wait_bgsave`, `send_bulk`, …; empty when not given. */
  readonly state: string;
  /** What it has acknowledged; null in the form before Redis 2.8. */
  readonly offset: number | null;
  /** Seconds since it last acknowledged; null when not given. */
  readonly lag_s: number | null;
}

export type FailoverState = 'no-failover' | 'waiting-for-sync' | 'failover-in-progress';

/** INFO as a Sentinel or a keeper needs it. A field is null where the server did not say, or not intelligibly. */
export interface ServerInfo {
  readonly runId: string | null;
  /** Its own: a Valkey also says which Redis it stands in for. */
  readonly version: string | null;
  readonly uptime_s: number | null;
  /** Null also for a server that is neither, such as a Sentinel. */
  readonly role: 'master' | 'replica' | null;
  /** True while the server reads its data from disk or, with an old copy at hand, from its master. */
  readonly loading: boolean;

  /** Its last attempt to write a dump, or to its append-only file, failed: as a master it may refuse writes. */
  readonly diskFails: boolean;

  /** Of a master. */
  readonly connectedReplicas: number | null;
  readonly replicas: readonly InfoReplica[];
  /** `master_failover_state`: null before Redis 6.2. */
  readonly failoverState: FailoverState | null;

  /** Of a replica. */
  readonly masterHost: string | null;
  readonly masterPort: number | null;
  readonly masterLinkUp: boolean | null;
  /** Null while the link is up; -1 when it has never been up. */
  readonly masterLinkDownSince_s: number | null;
  readonly masterLastIo_s: number | null;
  readonly masterSyncInProgress: boolean | null;
  readonly replicaOffset: number | null;
  /** 0: never to be promoted. */
  readonly replicaPriority: number | null;
  /** False: its master lists it, but Sentinels must not. True when not given (before Redis 6.2). */
  readonly replicaAnnounced: boolean;

  /** Of both. */
  readonly masterReplId: string | null;
  readonly masterReplId2: string | null;
  readonly masterReplOffset: number | null;
  readonly secondReplOffset: number | null;
}

/** The fields that are read; each replica has one besides. */
const FIELDS = [
  'run_id',
  'redis_version',
  'valkey_version',
  'uptime_in_seconds',
  'role',
  'loading',
  'async_loading',
  'rdb_last_bgsave_status',
  'aof_last_write_status',
  'connected_slaves',
  'master_failover_state',
  'master_host',
  'master_port',
  'master_link_status',
  'master_link_down_since_seconds',
  'master_last_io_seconds_ago',
  'master_sync_in_progress',
  'slave_repl_offset',
  'slave_priority',
  'replica_announced',
  'master_replid',
  'master_replid2',
  'master_repl_offset',
  'second_repl_offset',
] as const;

type Field = (typeof FIELDS)[number];

/** Most of INFO's five kilobytes is of no use here: one expression passes over it without a string for each line. */
const WANTED_LINE = new RegExp(`\\n(${FIELDS.join('|')}|(?:slave|replica)\\d+):([^\\n]*)`, 'g');

/** Lines may end in CR LF or LF; of equal fields the last counts. */
function readFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [, name = '', value = ''] of `\n${text}`.matchAll(WANTED_LINE)) fields.set(name, value.trim());
  return fields;
}

/** Reads the answer to INFO, whole or of the sections `server`, `persistence` and `replication`. */
export function readServerInfo(text: string): ServerInfo {
  const fields = readFields(text);
  return {
    runId: word(fields, 'run_id'),
    version: word(fields, 'valkey_version') ?? word(fields, 'redis_version'),
    uptime_s: integer(fields, 'uptime_in_seconds'),
    role: parseRole(fields.get('role')),
    loading: flag(fields, 'loading') === true || flag(fields, 'async_loading') === true,
    diskFails: word(fields, 'rdb_last_bgsave_status') === 'err' || word(fields, 'aof_last_write_status') === 'err',
    connectedReplicas: integer(fields, 'connected_slaves'),
    replicas: readReplicas(fields),
    failoverState: parseFailoverState(fields.get('master_failover_state')),
    masterHost: word(fields, 'master_host'),
    masterPort: parsePort(fields.get('master_port')),
    masterLinkUp: parseLinkStatus(fields.get('master_link_status')),
    masterLinkDownSince_s: integer(fields, 'master_link_down_since_seconds'),
    masterLastIo_s: integer(fields, 'master_last_io_seconds_ago'),
    masterSyncInProgress: flag(fields, 'master_sync_in_progress'),
    replicaOffset: integer(fields, 'slave_repl_offset'),
    replicaPriority: integer(fields, 'slave_priority'),
    replicaAnnounced: flag(fields, 'replica_announced') !== false,
    masterReplId: word(fields, 'master_replid'),
    masterReplId2: word(fields, 'master_replid2'),
    masterReplOffset: integer(fields, 'master_repl_offset'),
    secondReplOffset: integer(fields, 'second_repl_offset'),
  };
}

type Fields = ReadonlyMap<string, string>;

function word(fields: Fields, name: Field): string | null {
  return fields.get(name) || null;
}

function integer(fields: Fields, name: Field): number | null {
  return parseDecimal(fields.get(name));
}

function flag(fields: Fields, name: Field): boolean | null {
  return parseFlag(fields.get(name));
}

/** Sums the `dbN:keys=…` lines of the keyspace section. */
export function countKeys(text: string): number {
  let keys = 0;
  for (const [, count] of text.matchAll(/(?:^|\n)db\d+:keys=(\d{1,15})/g)) keys += Number(count);
  return keys;
}

/** The `slave0:`, `slave1:`, … lines, in the order of their numbers; those that name no place are passed over. */
function readReplicas(fields: Fields): InfoReplica[] {
  const numbered: { readonly index: number; readonly replica: InfoReplica }[] = [];
  for (const [name, value] of fields) {
    const index = /^(?:slave|replica)(\d+)$/.exec(name)?.[1];
    const replica = index === undefined ? null : parseReplicaLine(value);
    if (replica !== null) numbered.push({ index: Number(index), replica });
  }
  return numbered.sort((a, b) => a.index - b.index).map((one) => one.replica);
}

/**
 * A master's line on a replica, without its `slaveN:`, in either form:
 * `ip=10.0.0.1,port=6379,state=online,offset=14,lag=1` (unknown keys are passed over) or `10.0.0.1,6379,online`.
 * @returns null when it has no host or no port.
 */
export function parseReplicaLine(line: string): InfoReplica | null {
  const parts = line.split(',');
  const keyed = parts.some((part) => part.startsWith('ip=') || part.startsWith('port='));
  const named = new Map<string, string>();
  for (const part of parts) {
    const equals = part.indexOf('=');
    if (equals > 0) named.set(part.slice(0, equals), part.slice(equals + 1));
  }
  const host = keyed ? named.get('ip') : parts[0];
  const port = parsePort(keyed ? named.get('port') : parts[1]);
  if (host === undefined || host === '' || port === null) return null;
  return {
    host,
    port,
    state: (keyed ? named.get('state') : parts[2]) ?? '',
    offset: parseDecimal(named.get('offset')),
    lag_s: parseDecimal(named.get('lag')),
  };
}

/** Null unless it is a decimal integer that a number holds exactly. */
function parseDecimal(text: string | undefined): number | null {
  if (text === undefined || !/^-?\d{1,16}$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}

/** 0 is a port here: a server that listens on TLS or a unix socket alone says so. */
function parsePort(text: string | undefined): number | null {
  const port = parseDecimal(text);
  return port !== null && port >= 0 && port <= 65535 ? port : null;
}

function parseFlag(text: string | undefined): boolean | null {
  if (text === '1') return true;
  return text === '0' ? false : null;
}

function parseLinkStatus(text: string | undefined): boolean | null {
  if (text === 'up') return true;
  return text === 'down' ? false : null;
}

function parseRole(text: string | undefined): 'master' | 'replica' | null {
  if (text === 'master' || text === 'primary') return 'master';
  return text === 'slave' || text === 'replica' ? 'replica' : null;
}

function parseFailoverState(text: string | undefined): FailoverState | null {
  switch (text) {
    case 'no-failover':
    case 'waiting-for-sync':
    case 'failover-in-progress':
      return text;
    default:
      return null;
  }
}
