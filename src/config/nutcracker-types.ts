/** The configuration of a sharding proxy as read from a nutcracker.yml, with every default filled in. */

/** The hash functions of twemproxy, by the names its configuration uses. */
export const HASH_NAMES = [
  'one_at_a_time',
  'md5',
  'crc16',
  'crc32',
  'crc32a',
  'fnv1_64',
  'fnv1a_64',
  'fnv1_32',
  'fnv1a_32',
  'hsieh',
  'murmur',
  'jenkins',
] as const;
export type HashName = (typeof HASH_NAMES)[number];

export const DISTRIBUTION_NAMES = ['ketama', 'modula', 'random'] as const;
export type DistributionName = (typeof DISTRIBUTION_NAMES)[number];

/** Where a socket listens or connects. */
export type SocketAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string; readonly mode: number | null };

/** A place in the configuration file, counted from 1. */
export interface FilePlace {
  readonly line: number;
  readonly column: number;
}

/** How a server is reached. */
export type ServerTarget =
  | SocketAddress
  /** The master that the pool's sentinels know by this name. */
  | { readonly kind: 'master'; readonly master: string }
  /** The master of this group, wherever the proxy's routes say that it is. */
  | { readonly kind: 'group'; readonly group: string };

export interface ServerConfig {
  /** What is hashed onto the ring: the name given, else what nutcracker derives from the address. */
  readonly name: string;
  /** What statistics and logs call it: the name if one was given, else the address. */
  readonly label: string;
  /** How to reach it. */
  readonly target: ServerTarget;
  /** How the proxy logs in to it; null for no password. */
  readonly login: Login | null;
  /** Null for plain TCP towards it. */
  readonly tls: TlsConfig | null;
  /** A write is acknowledged to its client only when a replica has it. */
  readonly replicated: boolean;
  readonly weight: number;
  readonly place: FilePlace;
}

/** Who logs in. */
export interface Login {
  /** Empty for a password alone. */
  readonly user: string;
  readonly password: string;
}

/** TLS towards others; the texts of PEM files, not their names. */
export interface TlsConfig {
  /** Who may have signed the other side's certificate; null for the system's list. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  /** The name that the certificate must bear; null for the host that is connected to. */
  readonly servername: string | null;
  /** The certificate may bear any name: who signed it is what counts, as between Redis processes. */
  readonly anyName: boolean;
  /** Any certificate is accepted. */
  readonly insecure: boolean;
}

/** What `true` means: who may have signed is the system's word, and we show no certificate. */
export const SYSTEM_TLS: TlsConfig = {
  ca: null,
  cert: null,
  key: null,
  servername: null,
  anyName: false,
  insecure: false,
};

/** TLS towards clients; the texts of PEM files. */
export interface ClientTls {
  readonly cert: string;
  readonly key: string;
  /** Who may have signed the certificates of clients; null for the system's list. */
  readonly ca: string | null;
  /** Must a client show a certificate? `optional`: it may, and then it must be a good one. */
  readonly authClients: 'yes' | 'no' | 'optional';
}

/** A user of a pool: a name, and rules as Redis's ACL files have them. */
export interface UserConfig {
  readonly name: string;
  readonly rules: readonly string[];
  readonly place: FilePlace;
}

export interface PoolConfig {
  readonly name: string;
  /** Null when it only listens for TLS. */
  readonly listen: SocketAddress | null;
  /** Where it listens for TLS, and how that is spoken. */
  readonly listenTls: SocketAddress | null;
  readonly clientTls: ClientTls | null;
  readonly hash: HashName;
  /** Two characters, or null. */
  readonly hashTag: string | null;
  readonly distribution: DistributionName;
  /** Waiting for a connection or a reply; null waits for ever. */
  readonly timeout_ms: number | null;
  readonly backlog: number;
  /** 0 for no limit of our own. */
  readonly clientConnections: number;
  readonly tcpKeepalive: boolean;
  readonly preconnect: boolean;
  readonly redis: boolean;
  /** What clients log in with, unless there are users. */
  readonly redisAuth: string | null;
  /** Who may log in; null when there are no users but the one of `redisAuth`. */
  readonly users: readonly UserConfig[] | null;
  readonly redisDb: number;
  readonly serverConnections: number;
  readonly autoEjectHosts: boolean;
  readonly serverRetryTimeout_ms: number;
  readonly serverFailureLimit: number;
  readonly reusePort: boolean;
  readonly servers: readonly ServerConfig[];
  /** What the file says for all servers; each has it as its `tls`. */
  readonly serverTls: TlsConfig | null;
  /** Sentinels to follow; empty for a pool of fixed addresses. */
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  /** How long a request waits for a shard that has no master, and a write for a replica. Only with sentinels. */
  readonly holdTimeout_ms: number;
  /** How many bytes of requests a pool keeps for repetition. Only with sentinels. */
  readonly hold_bytes: number;
  /** Whether reads may go to replicas. Only where a master is followed. */
  readonly readFrom: 'master' | 'prefer_replica';
  /** How old what such a replica has may be. */
  readonly replicaLagMax_ms: number;
  /** From which duration on a request is noted in the slow log; null for never. */
  readonly slowlogLogSlowerThan_us: number | null;
  /** How many slow requests are kept. */
  readonly slowlogMaxLen: number;
  /** Only with sentinels. */
  readonly sentinelAuth: Login | null;
  /** Null for plain TCP. Only with sentinels. */
  readonly sentinelTls: TlsConfig | null;
  readonly place: FilePlace;
}

export interface NutcrackerConfig {
  readonly file: string;
  readonly pools: readonly PoolConfig[];
}

/** One thing wrong in a nutcracker.yml. */
export interface ConfigProblem extends FilePlace {
  /** What is wrong and what to write instead. */
  readonly message: string;
}

/** A nutcracker.yml that cannot be used; nothing of it has been acted on. */
export class NutcrackerConfigError extends Error {
  override readonly name = 'NutcrackerConfigError';
  readonly code = 'ERR_NUTCRACKER_CONFIG';

  constructor(
    readonly file: string,
    readonly problems: readonly ConfigProblem[],
  ) {
    super(problems.map((p) => `${file}:${p.line}:${p.column}: ${p.message}`).join('\n'));
  }
}
