/** What a Sentinel must still know after a crash: the part of sentinel.conf that it writes itself, as data. */

export interface ReplicaSnapshot {
  readonly host: string;
  readonly port: number;
}

export interface SentinelPeerSnapshot {
  readonly host: string;
  readonly port: number;
  readonly runId: string;
}

export interface MasterSnapshot {
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
  readonly fastDown: boolean;
  /** Upper-case command name to the name it was renamed to. */
  readonly renamedCommands: Readonly<Record<string, string>>;
  readonly configEpoch: number;
  /** The epoch of the last vote given for this master. */
  readonly leaderEpoch: number;
  /** Whom that vote went to; empty when it is not known, since redis-sentinel does not keep it. */
  readonly votedLeader: string;
  readonly replicas: readonly ReplicaSnapshot[];
  readonly sentinels: readonly SentinelPeerSnapshot[];
}

/** The settings of the whole Sentinel that commands can change, and its state. */
export interface Snapshot {
  /** 40 hexadecimal characters. */
  readonly myId: string;
  readonly currentEpoch: number;
  readonly announceIp: string;
  /** 0: the port we listen on. */
  readonly announcePort: number;
  readonly resolveHostnames: boolean;
  readonly announceHostnames: boolean;
  readonly denyScriptsReconfig: boolean;
  /** How we log in to other Sentinels. */
  readonly sentinelUser: string;
  readonly sentinelPass: string;
  readonly masters: readonly MasterSnapshot[];
}

/** The defaults of `sentinel monitor`, as redis-sentinel has them. */
export const MASTER_DEFAULTS = {
  downAfter_ms: 30_000,
  failoverTimeout_ms: 180_000,
  parallelSyncs: 1,
  authUser: '',
  authPass: '',
  notificationScript: '',
  clientReconfigScript: '',
  masterRebootDownAfter_ms: 0,
  fastDown: false,
  renamedCommands: {},
  configEpoch: 0,
  leaderEpoch: 0,
  votedLeader: '',
  replicas: [],
  sentinels: [],
} as const satisfies Omit<MasterSnapshot, 'name' | 'host' | 'port' | 'quorum'>;
