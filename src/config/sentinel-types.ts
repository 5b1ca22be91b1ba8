/**
 * The `sentinel …` lines of a configuration as data: what an operator wrote, and what the Sentinel must still know after a
 * crash. Its core works with these types too; they hold no behaviour.
 */

export interface ReplicaConf {
  readonly host: string;
  readonly port: number;
}

export interface PeerConf {
  readonly host: string;
  readonly port: number;
  /** 40 hexadecimal characters. */
  readonly runId: string;
}

export interface MasterConf {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly quorum: number;
  readonly downAfter_ms: number;
  readonly failoverTimeout_ms: number;
  readonly parallelSyncs: number;
  readonly authUser: string;
  readonly authPass: string;
  readonly notificationScript: string;
  readonly clientReconfigScript: string;
  readonly masterRebootDownAfter_ms: number;
  /** Our own `fast-down`: a refused or reset connection counts as down at once. */
  readonly fastDown: boolean;
  /** Our own `lease-ttl`: how long a grant of the master's lease lasts; 0 for a group without leases. */
  readonly leaseTtl_ms: number;
  /** Our own `ack-replicas`: a write counts as acknowledged once so many replicas have it; 0: by the master alone. */
  readonly ackReplicas: number;
  /** Our own `paused`: maintenance, no failover starts by itself. */
  readonly paused: boolean;
  /** Our own `candidate-lag-max`: a replica further behind is not promoted; 0 for no limit. */
  readonly candidateLagMax_bytes: number;
  /** Upper-case command name to the name that it has on this master and its replicas. */
  readonly renamedCommands: Readonly<Record<string, string>>;
  readonly configEpoch: number;
  readonly leaderEpoch: number;
  /** Our own `voted-leader`: the run id that our vote of `leaderEpoch` went to; empty when it is not known. */
  readonly votedLeader: string;
  readonly replicas: readonly ReplicaConf[];
  readonly sentinels: readonly PeerConf[];
}

/** What `sentinel …` lines say; the Sentinel persists it whole. */
export interface SentinelState {
  /** 40 hexadecimal characters; empty in a file that no Sentinel has run with yet. */
  readonly myId: string;
  readonly currentEpoch: number;
  readonly announceIp: string;
  /** 0: the port that we listen on. */
  readonly announcePort: number;
  readonly resolveHostnames: boolean;
  readonly announceHostnames: boolean;
  readonly denyScriptsReconfig: boolean;
  readonly sentinelUser: string;
  readonly sentinelPass: string;
  readonly masters: readonly MasterConf[];
}

export const STATE_DEFAULTS: SentinelState = {
  myId: '',
  currentEpoch: 0,
  announceIp: '',
  announcePort: 0,
  resolveHostnames: false,
  announceHostnames: false,
  denyScriptsReconfig: true,
  sentinelUser: '',
  sentinelPass: '',
  masters: [],
};

/** The longest lease: a Sentinel that has restarted grants none for as long as one that it gave before may live. */
export const LEASE_TTL_MAX_MS = 60_000;

/** What `sentinel monitor` gives without further options: the values of redis-sentinel. */
export const MASTER_CONF_DEFAULTS = {
  downAfter_ms: 30_000,
  failoverTimeout_ms: 180_000,
  parallelSyncs: 1,
  authUser: '',
  authPass: '',
  notificationScript: '',
  clientReconfigScript: '',
  masterRebootDownAfter_ms: 0,
  fastDown: false,
  leaseTtl_ms: 0,
  ackReplicas: 0,
  paused: false,
  candidateLagMax_bytes: 0,
  renamedCommands: {},
  configEpoch: 0,
  leaderEpoch: 0,
  votedLeader: '',
  replicas: [],
  sentinels: [],
} as const satisfies Omit<MasterConf, 'name' | 'host' | 'port' | 'quorum'>;
