/** Between the running state and what is kept on disk. */
import { isIpAddress } from '../../base/ip.js';
import type { Prng } from '../../base/prng.js';
import type { MasterConf, SentinelState } from '../../config/sentinel-types.js';
import { addGroup } from './group.js';
import { addReplica, addSentinel } from './instances.js';
import type { Effect, Verbosity } from './io.js';
import { addressOf } from './names.js';
import type { Group, Sentinel } from './state.js';
import { Turn } from './turn.js';

/** What a Sentinel is started with besides its kept state. */
export interface Start {
  /** The port that other Sentinels reach us at. */
  readonly listenPort: number;
  readonly requirePass: string;
  /** `notice` when not given. */
  readonly verbosity?: Verbosity;
  /** What the names in the snapshot resolved to; a name that is missing is looked up later. */
  readonly names: ReadonlyMap<string, string>;
  readonly prng: Prng;
  /** How long a lease lasted before this start, when the file's `lease-ttl` was shortened since. */
  readonly formerLeaseTtl_ms?: number;
  /** Monotonic milliseconds. */
  readonly now: number;
}

/** A Sentinel as it was when `snapshot` was kept, with the effects of its start (the `+monitor` events). */
export function createSentinel(snapshot: SentinelState, start: Start): { state: Sentinel; effects: Effect[] } {
  const { announceIp, announcePort, resolveHostnames, announceHostnames, denyScriptsReconfig } = snapshot;
  const { sentinelUser, sentinelPass } = snapshot;
  const state: Sentinel = {
    myId: snapshot.myId,
    settings: {
      announceIp,
      announcePort,
      listenPort: start.listenPort,
      resolveHostnames,
      announceHostnames,
      denyScriptsReconfig,
      sentinelUser,
      sentinelPass,
      requirePass: start.requirePass,
      verbosity: start.verbosity ?? 'notice',
    },
    currentEpoch: snapshot.currentEpoch,
    groups: new Map(),
    links: new Set(),
    conns: new Map(),
    names: new Map(),
    prng: start.prng,
    tiltSince: null,
    dueAt: start.now,
    nextConnId: 1,
    formerLeaseTtl_ms: start.formerLeaseTtl_ms ?? 0,
    crashAfterElection: false,
    crashAfterPromotion: false,
  };
  for (const [host, ip] of start.names) state.names.set(host, { ip, lookedUpAt: start.now, outstanding: false });
  const turn = new Turn(state, start.now);
  for (const master of snapshot.masters) restoreGroup(turn, master);
  return { state, effects: turn.finish(() => toSnapshot(state)) };
}

function restoreGroup(turn: Turn, kept: MasterConf): void {
  const { host, port, replicas, sentinels, ...settings } = kept;
  const group = addGroup(turn, settings, addressOf(turn.s, host, port));
  for (const replica of replicas) {
    addReplica(turn, group, addressOf(turn.s, replica.host, replica.port));
  }
  for (const peer of sentinels) {
    if (peer.runId !== turn.s.myId) addSentinel(turn, group, addressOf(turn.s, peer.host, peer.port), peer.runId);
  }
  turn.event('warning', '+monitor', group, `quorum ${group.quorum}`);
}

/** The part of the state that must survive. */
export function toSnapshot(s: Sentinel): SentinelState {
  const { announceIp, announcePort, resolveHostnames, announceHostnames, denyScriptsReconfig } = s.settings;
  const { sentinelUser, sentinelPass } = s.settings;
  return {
    myId: s.myId,
    currentEpoch: s.currentEpoch,
    announceIp,
    announcePort,
    resolveHostnames,
    announceHostnames,
    denyScriptsReconfig,
    sentinelUser,
    sentinelPass,
    masters: [...s.groups.values()].map((group) => groupSnapshot(s, group)),
  };
}

function groupSnapshot(s: Sentinel, group: Group): MasterConf {
  // From its promotion on, the promoted replica is the master that a restart must know.
  const { failover } = group;
  const promoted = failover?.phase === 'reconf' ? failover.target : group.master;
  const kept = (host: string, ip: string): string => (s.settings.resolveHostnames || isIpAddress(host) ? host : ip);
  const { address } = promoted.link;
  const replicas = [group.master, ...group.replicas.values()].filter((node) => node !== promoted);
  return {
    name: group.name,
    host: kept(address.host, address.ip),
    port: address.port,
    quorum: group.quorum,
    downAfter_ms: group.downAfter_ms,
    failoverTimeout_ms: group.failoverTimeout_ms,
    parallelSyncs: group.parallelSyncs,
    authUser: group.authUser,
    authPass: group.authPass,
    notificationScript: group.notificationScript,
    clientReconfigScript: group.clientReconfigScript,
    masterRebootDownAfter_ms: group.masterRebootDownAfter_ms,
    fastDown: group.fastDown,
    leaseTtl_ms: group.leaseTtl_ms,
    ackReplicas: group.ackReplicas,
    paused: group.paused,
    candidateLagMax_bytes: group.candidateLagMax_bytes,
    renamedCommands: Object.fromEntries(group.renamedCommands),
    configEpoch: group.configEpoch,
    leaderEpoch: group.leaderEpoch,
    votedLeader: group.leader ?? '',
    replicas: replicas.map(({ link }) => ({
      host: kept(link.address.host, link.address.ip),
      port: link.address.port,
    })),
    sentinels: [...group.sentinels.values()]
      .filter(({ link }) => link.address.port !== 0)
      .map(({ link, runId }) => ({
        host: kept(link.address.host, link.address.ip),
        port: link.address.port,
        runId,
      })),
  };
}
