/** The lines that a Sentinel's state needs in its file, as data: what `sentinel-rewrite.ts` lays into a document. */
import { MASTER_CONF_DEFAULTS, type MasterConf, type SentinelState, STATE_DEFAULTS } from './sentinel-types.js';

/** One line. */
export interface WantedLine {
  /** Tells lines of one group apart; empty where a group has one line. */
  readonly identity: string;
  /** All the words, the directive's name included. */
  readonly words: readonly string[];
}

/** Lines that belong together: one setting, or all known replicas of a master. */
export interface WantedGroup {
  readonly key: string;
  readonly lines: readonly WantedLine[];
  /** False for a default value: it replaces another value that stands in the file, but is not added to it. */
  readonly append: boolean;
  /** Lines that are no longer wanted give their place to new ones of the group. */
  readonly reusePlaces: boolean;
  /** One of our own directives: written as a comment. */
  readonly own: boolean;
}

/** The key of a `sentinel` option, of the whole Sentinel or of one master. */
export function sentinelKey(option: string, master = ''): string {
  return `sentinel ${option} ${master}`;
}

/** All the groups, in the order in which missing lines are added. */
export function wantedLines(state: SentinelState): readonly WantedGroup[] {
  const yesNo = (value: boolean): string => (value ? 'yes' : 'no');
  const setting = (option: string, value: string, usual: string): WantedGroup => ({
    ...single(sentinelKey(option), ['sentinel', option, value], value !== ''),
    append: value !== usual,
  });
  const usual = STATE_DEFAULTS;
  return [
    setting('myid', state.myId, usual.myId),
    setting('announce-ip', state.announceIp, usual.announceIp),
    setting('announce-port', String(state.announcePort), String(usual.announcePort)),
    setting('resolve-hostnames', yesNo(state.resolveHostnames), yesNo(usual.resolveHostnames)),
    setting('announce-hostnames', yesNo(state.announceHostnames), yesNo(usual.announceHostnames)),
    setting('deny-scripts-reconfig', yesNo(state.denyScriptsReconfig), yesNo(usual.denyScriptsReconfig)),
    setting('sentinel-user', state.sentinelUser, usual.sentinelUser),
    setting('sentinel-pass', state.sentinelPass, usual.sentinelPass),
    setting('current-epoch', String(state.currentEpoch), ''),
    ...state.masters.flatMap(masterLines),
  ];
}

function masterLines(master: MasterConf): readonly WantedGroup[] {
  const { name } = master;
  const usual = MASTER_CONF_DEFAULTS;
  const option = (key: string, value: string | number, usualValue: string | number | null): WantedGroup => ({
    ...single(sentinelKey(key, name), ['sentinel', key, name, String(value)], value !== ''),
    append: value !== usualValue,
  });
  const { host, port, quorum } = master;
  const monitor = ['sentinel', 'monitor', name, host, String(port), String(quorum)];
  return [
    single(sentinelKey('monitor', name), monitor, true),
    option('down-after-milliseconds', master.downAfter_ms, usual.downAfter_ms),
    option('failover-timeout', master.failoverTimeout_ms, usual.failoverTimeout_ms),
    option('parallel-syncs', master.parallelSyncs, usual.parallelSyncs),
    option('notification-script', master.notificationScript, usual.notificationScript),
    option('client-reconfig-script', master.clientReconfigScript, usual.clientReconfigScript),
    option('auth-user', master.authUser, usual.authUser),
    option('auth-pass', master.authPass, usual.authPass),
    option('master-reboot-down-after-period', master.masterRebootDownAfter_ms, usual.masterRebootDownAfter_ms),
    renamedCommandLines(master),
    option('config-epoch', master.configEpoch, null),
    option('leader-epoch', master.leaderEpoch, null),
    replicaLines(master),
    peerLines(master),
    ...ownLines(master),
  ];
}

function renamedCommandLines({ name, renamedCommands }: MasterConf): WantedGroup {
  const lines = Object.entries(renamedCommands).map(([from, to]) => ({
    identity: from,
    words: ['sentinel', 'rename-command', name, from, to],
  }));
  return many(sentinelKey('rename-command', name), lines);
}

function replicaLines({ name, replicas }: MasterConf): WantedGroup {
  const lines = replicas.map(({ host, port }) => ({
    identity: `${host} ${port}`,
    words: ['sentinel', 'known-replica', name, host, String(port)],
  }));
  return { ...many(sentinelKey('known-replica', name), lines), reusePlaces: true };
}

function peerLines({ name, sentinels }: MasterConf): WantedGroup {
  const lines = sentinels.map(({ host, port, runId }) => ({
    identity: runId,
    words: ['sentinel', 'known-sentinel', name, host, String(port), runId],
  }));
  return { ...many(sentinelKey('known-sentinel', name), lines), reusePlaces: true };
}

function ownLines(master: MasterConf): readonly WantedGroup[] {
  const { name, votedLeader } = master;
  const vote = ['sentinel', 'voted-leader', name, votedLeader, String(master.leaderEpoch)];
  const usual = MASTER_CONF_DEFAULTS;
  const option = (key: string, value: number | boolean, usualValue: number | boolean): WantedGroup => {
    const text = typeof value === 'number' ? String(value) : value ? 'yes' : 'no';
    const words = ['sentinel', key, name, text];
    return { ...single(sentinelKey(key, name), words, true), append: value !== usualValue, own: true };
  };
  return [
    option('fast-down', master.fastDown, usual.fastDown),
    option('lease-ttl', master.leaseTtl_ms, usual.leaseTtl_ms),
    option('ack-replicas', master.ackReplicas, usual.ackReplicas),
    option('paused', master.paused, usual.paused),
    option('candidate-lag-max', master.candidateLagMax_bytes, usual.candidateLagMax_bytes),
    { ...single(sentinelKey('voted-leader', name), vote, votedLeader !== ''), own: true },
  ];
}

/** A group of one line, or of none when the value is unset. */
export function single(key: string, words: readonly string[], isSet: boolean): WantedGroup {
  return many(key, isSet ? [{ identity: '', words }] : []);
}

export function many(key: string, lines: readonly WantedLine[]): WantedGroup {
  return { key, lines, append: true, reusePlaces: false, own: false };
}
