/**
 * The Sentinel core's state. A `Group` is one monitored master with its replicas and the Sentinels that watch it; a
 * `Link` is how an instance is reached. Only the functions of this folder change any of it.
 */
import type { Prng } from '../../base/prng.js';
import type { Address, ClientToken, ConnId, Verbosity } from './io.js';

/** A moment before all others: every period since then has passed. */
export const NEVER = Number.NEGATIVE_INFINITY;

/** One TCP connection of a link. */
export interface Conn {
  id: ConnId;
  phase: 'idle' | 'connecting' | 'up';
  /** When the phase began. */
  since: number;
  /** Not tried again before this. */
  retryAt: number;
  /** Attempts failed in a row. */
  failures: number;
  lastHeardAt: number;
}

/** How one process is reached. Groups share the link to a Sentinel that several of them know (by its run id). */
export interface Link {
  address: Address;
  readonly command: Conn;
  /** The subscription to the hello channel; null for a Sentinel. */
  readonly hello: Conn | null;
  readonly owners: Set<Instance>;
  localIp: string;
  /** Requests sent and not answered. */
  pending: number;
  /** When the oldest unanswered PING was sent. */
  activePingSince: number | null;
  lastPingAt: number;
  /** The last valid reply to a PING (+PONG, -LOADING, -MASTERDOWN). */
  lastAvailableAt: number;
  /** The last reply of any kind to a PING. */
  lastPongAt: number;
  /** How long an answer to a PING took of late: the longest, which fades with every one that comes sooner. */
  roundTrip_ms: number;
  /** Since when connections have been refused by a living host; null while none was. */
  refusedSince: number | null;
  /** What went wrong last, in the peer's or the system's words; empty while it answers. For the log. */
  trouble: string;
  wakeAt: number;
}

export type Role = 'master' | 'replica';

/** A replica's way to its new master during a failover. */
export interface Reconfiguration {
  readonly state: 'sent' | 'inprog' | 'done';
  readonly since: number;
}

/** What INFO last told of a Redis. */
export interface InfoState {
  text: string;
  /** When the reply came. */
  at: number;
  /** When the request that it answers was sent. */
  askedAt: number;
  /** A request is under way since then; null for none. */
  outstandingSince: number | null;
  /** Ask once more as soon as the outstanding reply is here. */
  again: boolean;
}

/** One Redis process: the master of a group or one of its replicas. */
export interface RedisNode {
  readonly kind: 'redis';
  readonly group: Group;
  readonly link: Link;
  runId: string;
  sdownSince: number | null;
  downReason: string;
  lastHelloSentAt: number;
  readonly info: InfoState;
  /** Of the server, as INFO tells it; empty: not told. */
  version: string;
  /** The replication history that it is in, and the one that it continues: up to `secondOffset`. Empty: not told. */
  replId: string;
  replId2: string;
  secondOffset: number;
  role: Role;
  /** When `role` was last seen to change. */
  roleSince: number;
  priority: number;
  announced: boolean;
  /** As a replica: whom it follows, and how well. */
  masterHost: string;
  masterPort: number;
  masterChangedAt: number;
  masterLinkUp: boolean;
  masterLinkDown_ms: number;
  replOffset: number;
  masterReplOffset: number;
  /** Down since its last valid state (SDOWN or disconnected); used before a repair is sent. */
  lastDownAt: number;
  reconf: Reconfiguration | null;
  /** Since when it is not the master any more although it has not been seen as a replica; null when it has. */
  formerMasterSince: number | null;
  demotedAt: number;
  rebootedAt: number | null;
  scriptKillSent: boolean;
}

/** Another Sentinel, as one group knows it. */
export interface SentinelPeer {
  readonly kind: 'sentinel';
  readonly group: Group;
  link: Link;
  readonly runId: string;
  sdownSince: number | null;
  lastHelloSentAt: number;
  /** The last hello message that it sent. */
  lastHelloAt: number;
  /** The last reply to is-master-down-by-addr. */
  lastAskReplyAt: number;
  lastAskAt: number;
  saysMasterDown: boolean;
  leader: string | null;
  leaderEpoch: number;
  /** The latest epoch in which it was asked for its vote and gave none. */
  refusedEpoch: number;
}

export type Instance = RedisNode | SentinelPeer;

/** The replicas that were told to follow nobody, and whether each may hold what it acknowledged for the master. */
export type Halted = ReadonlyMap<RedisNode, boolean>;

/** What every phase of a failover has. */
interface FailoverBase {
  readonly epoch: number;
  readonly startedAt: number;
  /** When this phase began. */
  readonly since: number;
  /** Asked for by an operator: needs no agreement that the master is down. */
  readonly manual: 'no' | 'planned' | 'coordinated' | 'forced';
  /** The replica that the operator wants; null for the best. */
  readonly to: Address | null;
}

export type Failover = FailoverBase &
  (
    | { readonly phase: 'wait-start' }
    /**
     * `unaided`: the master's help was tried, or is not to be had. `halted`: null before any were, and where it is not needed.
     */
    | { readonly phase: 'select'; readonly unaided: boolean; readonly halted: Halted | null }
    | { readonly phase: 'coordinate'; readonly target: RedisNode; readonly way: Coordination }
    | { readonly phase: 'send-slaveof-noone'; readonly target: RedisNode }
    /** `obeyed`: it has answered the order as one that has carried it out. */
    | { readonly phase: 'wait-promotion'; readonly target: RedisNode; readonly obeyed: boolean }
    | {
        readonly phase: 'reconf';
        readonly target: RedisNode;
        readonly old: RedisNode;
        readonly switched: boolean;
        /** The old master's keeper consented, and lives: until then it is left to it to demote its Redis. Null: it is not. */
        readonly keeperUntil: number | null;
      }
  );

/** Whether this is the old master of a failover whose keeper consented: that one is to demote it. */
export function isLeftToKeeper(failover: Failover, node: RedisNode): boolean {
  return failover.phase === 'reconf' && node === failover.old && failover.keeperUntil !== null;
}

/** How far a planned failover has come with the living master. */
export type Coordination =
  /** Redis's own FAILOVER does it; we watch the target. */
  | { readonly by: 'failover-command' }
  /** The master refused all help, in these words; nothing was paused. */
  | { readonly by: 'nobody'; readonly why: string }
  /** Writes are paused until `until`; `offset` is what the target must reach, once it is known. */
  | { readonly by: 'pause'; readonly paused: boolean; readonly until: number; readonly offset: number | null };

/** A Sentinel's word that it elects nobody else, and grants the lease to nobody else, before `until`. */
export interface Grant {
  /** The master whose keeper asked. */
  readonly holder: Address;
  /** The config epoch in which it is the master. */
  readonly epoch: number;
  readonly until: number;
  /** The keeper consents to the election of another meanwhile: a planned switchover. */
  readonly handOver: boolean;
  /** The keeper's number for all that it asks between two releases; null when it has told none. */
  readonly term: number | null;
}

/** What a Sentinel has granted and promised of a group's lease: in memory only. */
export interface Lease {
  grant: Grant | null;
  /** When we began to know this group; a grant of our life before may still be counted on. */
  readonly bornAt: number;
  /** How long such a grant may last when the ttl was longer then. */
  readonly formerTtl_ms: number;
  /** Since when the master is the one that it is. */
  recordSince: number;
  /** Until when the master has held a grant of ours, or does. */
  heldUntil: number;
  /** The keeper has given the lease of this master back. */
  released: { readonly by: Address; readonly reason: string } | null;
  /** When our last vote was given; at the start: just now. */
  votedAt: number;
  /** The latest epoch in which a vote of ours is known to have elected nobody in time to promote; 0 for none. */
  outlivedVote: number;
  /** Replication id of the history in which the master was leased last: what was acknowledged is in it. Empty: not known. */
  history: string;
}

/** When a Sentinel stands for election; `missed`: how often it was not running at that time, and drew another. */
export interface StartTurn {
  readonly at: number;
  readonly missed: number;
}

export interface Group {
  readonly name: string;
  master: RedisNode;
  /** By `ip:port`, or `host:port` while the name has no address. */
  readonly replicas: Map<string, RedisNode>;
  /** By run id. */
  readonly sentinels: Map<string, SentinelPeer>;
  quorum: number;
  downAfter_ms: number;
  failoverTimeout_ms: number;
  parallelSyncs: number;
  authUser: string;
  authPass: string;
  notificationScript: string;
  clientReconfigScript: string;
  masterRebootDownAfter_ms: number;
  fastDown: boolean;
  /** How long a grant of the lease lasts; 0 for a group without leases. */
  leaseTtl_ms: number;
  /** Replicas that have a write before it counts as acknowledged: a promotion needs the proof that none is lost. */
  ackReplicas: number;
  /** Maintenance: no failover starts by itself. */
  paused: boolean;
  /** A replica further behind is not promoted; 0 for no limit. */
  candidateLagMax_bytes: number;
  /** Upper-case command name to its new name. */
  renamedCommands: Map<string, string>;
  configEpoch: number;
  leader: string | null;
  leaderEpoch: number;
  odownSince: number | null;
  failover: Failover | null;
  /** Why our last failover came to nothing; null when it did not, or is under way. */
  givenUp: string | null;
  /** When the last failover that we know of began, ours or one we voted for: none starts within 2 x failover-timeout. */
  failoverStartAt: number;
  /** Whom we voted for then; null for ourselves. */
  votedFor: string | null;
  /** The failoverStartAt that the log has been told of. */
  delayLoggedFor: number;
  /** Our turn to start, drawn when ODOWN came. */
  start: StartTurn | null;
  splitRetries: number;
  /** The last failover ended without a candidate: may be tried again once there is one, not before this. */
  noCandidateRetryAt: number | null;
  /** When we last won an election for this group: then we may demote the old master unasked. */
  ledAt: number;
  readonly lease: Lease;
  wakeAt: number;
}

/** Settings of the whole Sentinel. */
export interface Settings {
  announceIp: string;
  announcePort: number;
  /** The port we listen on (the TLS one with tls-replication). */
  listenPort: number;
  resolveHostnames: boolean;
  announceHostnames: boolean;
  denyScriptsReconfig: boolean;
  sentinelUser: string;
  sentinelPass: string;
  /** Our own requirepass: how we log in to other Sentinels when sentinel-pass is not set. */
  requirePass: string;
  /** Shown and changed by commands; the runner's log obeys it. */
  verbosity: Verbosity;
}

export interface Sentinel {
  readonly myId: string;
  readonly settings: Settings;
  currentEpoch: number;
  readonly groups: Map<string, Group>;
  readonly links: Set<Link>;
  readonly conns: Map<ConnId, { readonly link: Link; readonly conn: Conn }>;
  /** What names resolved to; null while a look-up is under way or has failed. */
  readonly names: Map<string, { ip: string | null; lookedUpAt: number; outstanding: boolean }>;
  readonly prng: Prng;
  tiltSince: number | null;
  /**
   * No link or group wants to be looked at before this. The runner was told to call again then: a call that comes much
   * later means that we were not running.
   */
  dueAt: number;
  nextConnId: ConnId;
  /** The longest lease that this Sentinel may have granted before it was started. */
  readonly formerLeaseTtl_ms: number;
  crashAfterElection: boolean;
  crashAfterPromotion: boolean;
}

/** A client's command under way. */
export interface Caller {
  readonly client: ClientToken;
}

export function newConn(): Conn {
  return { id: 0, phase: 'idle', since: NEVER, retryAt: NEVER, failures: 0, lastHeardAt: NEVER };
}

/** A link that has not been tried yet: down-after counts from now. */
export function newLink(address: Address, now: number, withHello: boolean): Link {
  return {
    address,
    command: newConn(),
    hello: withHello ? newConn() : null,
    owners: new Set(),
    localIp: '',
    pending: 0,
    activePingSince: null,
    lastPingAt: NEVER,
    lastAvailableAt: now,
    lastPongAt: now,
    roundTrip_ms: 0,
    refusedSince: null,
    trouble: '',
    wakeAt: now,
  };
}

/** No grant yet. @param formerTtl_ms how long the grants of an earlier life lasted, if longer than those of now */
export function newLease(now: number, formerTtl_ms: number): Lease {
  return {
    grant: null,
    bornAt: now,
    formerTtl_ms,
    recordSince: now,
    heldUntil: NEVER,
    released: null,
    votedAt: now,
    outlivedVote: 0,
    history: '',
  };
}

/** A Redis not heard of yet. */
export function newRedisNode(group: Group, link: Link, role: Role, now: number): RedisNode {
  const node: RedisNode = {
    kind: 'redis',
    group,
    link,
    runId: '',
    sdownSince: null,
    downReason: '',
    lastHelloSentAt: NEVER,
    info: { text: '', at: NEVER, askedAt: NEVER, outstandingSince: null, again: false },
    version: '',
    replId: '',
    replId2: '',
    secondOffset: -1,
    role,
    roleSince: now,
    priority: 100,
    announced: true,
    masterHost: '',
    masterPort: 0,
    masterChangedAt: now,
    masterLinkUp: false,
    masterLinkDown_ms: 0,
    replOffset: 0,
    masterReplOffset: 0,
    lastDownAt: now,
    reconf: null,
    formerMasterSince: null,
    demotedAt: NEVER,
    rebootedAt: null,
    scriptKillSent: false,
  };
  link.owners.add(node);
  return node;
}

/** Whether this Redis is its group's master, by configuration. */
export function isMaster(node: RedisNode): boolean {
  return node.group.master === node;
}

/** All Redis processes of a group, the master first. */
export function redisNodes(group: Group): RedisNode[] {
  return [group.master, ...group.replicas.values()];
}

/** A failover is over, however it ended: nobody is on the way to another master any more. */
export function clearFailover(group: Group, givenUp: string | null = null): void {
  group.failover = null;
  group.givenUp = givenUp;
  for (const node of redisNodes(group)) node.reconf = null;
}
