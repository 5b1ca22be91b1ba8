/**
 * A tanist.yml as it is understood: checked whole, every default filled in, hosts' and groups' own settings resolved. The
 * same file stands on every host; which host it is read for is not part of it.
 */
import type { ClientTls, DistributionName, HashName, TlsConfig, UserConfig } from '../nutcracker-types.js';

/** How it is decided who leads. `pair`: VRRP decides between two hosts, without a quorum. */
export type ClusterMode = 'quorum' | 'pair';

/** When an acknowledged write counts as safe. */
export type Durability = 'async' | 'replicated';

/** Whether the preferred host takes the master's place back once it is well again. */
export type Failback =
  | { readonly when: 'never' }
  /** Only by `tanist switchover`; `tanist status` tells that it is due. */
  | { readonly when: 'manual' }
  | { readonly when: 'after'; readonly wait_ms: number };

export interface HostConfig {
  readonly name: string;
  /** An IP address. */
  readonly address: string;
  /** Votes, and keeps no Redis. */
  readonly witness: boolean;
  /** Where VIPs are put when a VIP names no interface; null: the one that carries `address`. */
  readonly interface: string | null;
}

/** A secret as it was given; never shown. */
export interface Secret {
  readonly value: string;
  /** For `tanist check`: a password in the file is warned of. */
  readonly from: 'inline' | 'file' | 'environment';
}

export interface RedisCredentials {
  /** Empty for the default user. */
  readonly user: string;
  readonly password: Secret;
}

/** How a group's Redis processes are kept. */
export interface RedisSettings {
  readonly port: number;
  /** The program that is started: a name looked up on PATH, or a path. */
  readonly program: string;
  /** The user's redis.conf; null for none. Absolute. */
  readonly config: string | null;
  /** Working directory: data, log and pid file. Absolute. */
  readonly directory: string;
  /** Started by others: adopted, never started, stopped or reconfigured on disk. */
  readonly attach: boolean;
  /** How clients, replicas and Tanist log in; null for no password. */
  readonly auth: RedisCredentials | null;
  readonly tls: TlsConfig | null;
  /** Addresses to listen on; empty: the host's address and loopback, or all when the group has a VIP. */
  readonly bind: readonly string[];
  /** No valid reply from the local Redis for this long: it hangs. A busy one that burns CPU is given `busyLimit_ms`. */
  readonly hangAfter_ms: number;
  readonly busyLimit_ms: number;
  /** Lets a replica be chosen only when it lags less than this; null for no limit. */
  readonly candidateLagMax_bytes: number | null;
}

export interface VipConfig {
  /** Canonical text. */
  readonly address: string;
  readonly prefix: number;
  /** Null: the host's interface. */
  readonly interface: string | null;
  /** VRRP's virtual router id, 1 to 255. */
  readonly vrid: number;
}

/** One master and its replicas: a shard. */
export interface GroupConfig {
  readonly name: string;
  /** Names of hosts that keep a Redis of it, the preferred one first. */
  readonly hosts: readonly string[];
  readonly redis: RedisSettings;
  readonly vips: readonly VipConfig[];
  readonly durability: Durability;
  readonly failback: Failback;
}

/** How a group stands on the ring of a pool. */
export interface RingEntry {
  readonly group: string;
  /** What is hashed onto the ring: the group's name, or what nutcracker had there, so that keys stay where they are. */
  readonly name: string;
  readonly weight: number;
}

/** A listener that shards keys over groups. */
export interface PoolSettings {
  readonly name: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: ClientTls | null;
  /** The shards, in the order of the ring. */
  readonly groups: readonly string[];
  /** One entry for each of `groups`, in the same order. */
  readonly ring: readonly RingEntry[];
  readonly hash: HashName;
  readonly hashTag: string | null;
  readonly distribution: DistributionName;
  readonly auth: Secret | null;
  readonly users: readonly UserConfig[] | null;
  readonly timeout_ms: number | null;
  readonly clientConnections: number;
  readonly holdTimeout_ms: number;
  readonly hold_bytes: number;
  /** Who answers reads; a replica only while it lags less than `replicaLagMax_ms`. */
  readonly readFrom: 'master' | 'prefer_replica';
  readonly replicaLagMax_ms: number;
}

export interface ProxySettings {
  readonly workers: number;
  readonly pools: readonly PoolSettings[];
  /** nutcracker's statistics; null for none. */
  readonly stats: { readonly host: string; readonly port: number } | null;
}

export type HookEvent = 'role' | 'vip' | 'leader' | 'failover' | 'fence' | 'health';

export interface HookConfig {
  readonly name: string;
  readonly on: readonly HookEvent[];
  /** Program and arguments, run without a shell; or the URL that a JSON event is posted to. */
  readonly action:
    | { readonly kind: 'run'; readonly command: readonly string[] }
    | { readonly kind: 'post'; readonly url: string };
  readonly timeout_ms: number;
}

export interface TanistConfig {
  /** As it was named, for messages. */
  readonly file: string;
  readonly cluster: string;
  readonly mode: ClusterMode;
  readonly hosts: readonly HostConfig[];
  readonly groups: readonly GroupConfig[];
  readonly lease: {
    /** How long a grant lasts, 200 to 60,000; null: no lease is asked for, as beside redis-sentinel in a migration. */
    readonly ttl_ms: number | null;
  };
  readonly sentinel: {
    readonly port: number;
    readonly auth: Secret | null;
    readonly downAfter_ms: number;
    readonly failoverTimeout_ms: number;
  };
  readonly proxy: ProxySettings | null;
  readonly api: {
    readonly host: string;
    readonly port: number;
    /** Needed for all that changes something; null: only over the loopback address, without. */
    readonly token: Secret | null;
  };
  /** Pair mode: an address (a gateway); a host that reaches neither it nor the other host gives up the VIP. Null for none. */
  readonly arbiter: string | null;
  readonly hooks: readonly HookConfig[];
  /** State, never configuration. Absolute. */
  readonly stateDirectory: string;
  readonly logLevel: 'debug' | 'verbose' | 'notice' | 'warning';
}
