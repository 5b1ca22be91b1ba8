/** One instance as SENTINEL MASTER, REPLICAS and SENTINELS show it: the fields of redis-sentinel 7, in its order. */
import { MapReply } from '../../redis/reply.js';
import { shownHost } from '../core/names.js';
import {
  type Failover,
  type Group,
  type Instance,
  isMaster,
  type RedisNode,
  type SentinelPeer,
} from '../core/state.js';
import { nodeName, type Turn } from '../core/turn.js';

type Fields = [name: string, value: string | number][];

/** The entry of a group's master. */
export function masterEntry(turn: Turn, group: Group): MapReply {
  const { master } = group;
  const fields = [...common(turn, master, group.name), ...role(turn, master)];
  fields.push(['config-epoch', group.configEpoch]);
  fields.push(['num-slaves', group.replicas.size]);
  fields.push(['num-other-sentinels', group.sentinels.size]);
  fields.push(['quorum', group.quorum]);
  fields.push(['failover-timeout', group.failoverTimeout_ms]);
  fields.push(['parallel-syncs', group.parallelSyncs]);
  if (group.notificationScript !== '') fields.push(['notification-script', group.notificationScript]);
  if (group.clientReconfigScript !== '') fields.push(['client-reconfig-script', group.clientReconfigScript]);
  return toMap([...fields, ...ownSettings(group)]);
}

/** Settings that only Tanist has, those that are on. */
function ownSettings(group: Group): Fields {
  const fields: Fields = [];
  if (group.leaseTtl_ms > 0) fields.push(['lease-ttl', group.leaseTtl_ms]);
  if (group.ackReplicas > 0) fields.push(['ack-replicas', group.ackReplicas]);
  if (group.candidateLagMax_bytes > 0) fields.push(['candidate-lag-max', group.candidateLagMax_bytes]);
  if (group.paused) fields.push(['paused', 'yes']);
  return fields;
}

/** The entry of a replica. */
export function replicaEntry(turn: Turn, node: RedisNode): MapReply {
  return toMap([
    ...common(turn, node, nodeName(turn.s, node)),
    ...role(turn, node),
    ['master-link-down-time', node.masterLinkDown_ms],
    ['master-link-status', node.masterLinkUp ? 'ok' : 'err'],
    ['master-host', node.masterHost === '' ? '?' : node.masterHost],
    ['master-port', node.masterPort],
    ['slave-priority', node.priority],
    ['slave-repl-offset', node.replOffset],
    ['replica-announced', node.announced ? 1 : 0],
  ]);
}

/** The entry of another Sentinel. */
export function sentinelEntry(turn: Turn, peer: SentinelPeer): MapReply {
  return toMap([
    ...common(turn, peer, peer.runId),
    ['last-hello-message', age_ms(turn, peer.lastHelloAt)],
    ['voted-leader', peer.leader ?? '?'],
    ['voted-leader-epoch', peer.leaderEpoch],
  ]);
}

function toMap(fields: Fields): MapReply {
  return new MapReply(fields.map(([name, value]) => [name, String(value)]));
}

/** Whole milliseconds since then; 0 for what has never been. */
export function age_ms(turn: Turn, then: number | null): number {
  return then === null || !Number.isFinite(then) ? 0 : Math.max(0, Math.floor(turn.now - then));
}

function common(turn: Turn, instance: Instance, name: string): Fields {
  const { link, group } = instance;
  const fields: Fields = [
    ['name', name],
    ['ip', shownHost(turn.s, link.address)],
    ['port', link.address.port],
    ['runid', instance.runId],
    ['flags', flags(instance).join(',')],
    ['link-pending-commands', link.pending],
    ['link-refcount', link.owners.size],
  ];
  if (isGroupMaster(instance) && group.failover !== null) {
    fields.push(['failover-state', failoverState(group.failover)]);
  }
  fields.push(['last-ping-sent', age_ms(turn, link.activePingSince)]);
  fields.push(['last-ok-ping-reply', age_ms(turn, link.lastAvailableAt)]);
  fields.push(['last-ping-reply', age_ms(turn, link.lastPongAt)]);
  if (instance.sdownSince !== null) fields.push(['s-down-time', age_ms(turn, instance.sdownSince)]);
  if (isGroupMaster(instance) && group.odownSince !== null) {
    fields.push(['o-down-time', age_ms(turn, group.odownSince)]);
  }
  fields.push(['down-after-milliseconds', group.downAfter_ms]);
  return fields;
}

function role(turn: Turn, node: RedisNode): Fields {
  return [
    ['info-refresh', age_ms(turn, node.info.at)],
    ['role-reported', node.role === 'master' ? 'master' : 'slave'],
    ['role-reported-time', age_ms(turn, node.roleSince)],
  ];
}

function isGroupMaster(instance: Instance): boolean {
  return instance.kind === 'redis' && isMaster(instance);
}

/** In the order of redis-sentinel, so that a client that compares the whole text finds what it expects. */
function flags(instance: Instance): string[] {
  const { group } = instance;
  const words: string[] = [];
  if (instance.sdownSince !== null) words.push('s_down');
  if (isGroupMaster(instance) && group.odownSince !== null) words.push('o_down');
  words.push(instance.kind === 'sentinel' ? 'sentinel' : isMaster(instance) ? 'master' : 'slave');
  if (!isConnected(instance)) words.push('disconnected');
  return instance.kind === 'sentinel' ? [...words, ...peerFlags(instance)] : [...words, ...redisFlags(instance)];
}

/** A Redis has both connections, or is disconnected. */
function isConnected({ link }: Instance): boolean {
  return link.command.phase === 'up' && (link.hello === null || link.hello.phase === 'up');
}

function peerFlags(peer: SentinelPeer): string[] {
  return peer.saysMasterDown ? ['master_down'] : [];
}

function redisFlags(node: RedisNode): string[] {
  const words: string[] = [];
  const { failover } = node.group;
  const asMaster = isMaster(node);
  if (asMaster && failover !== null) words.push('failover_in_progress');
  if (!asMaster && failover !== null && 'target' in failover && failover.target === node) words.push('promoted');
  if (!asMaster && node.reconf !== null) words.push(`reconf_${node.reconf.state}`);
  if (asMaster && failover !== null && failover.manual !== 'no') words.push('force_failover');
  if (node.scriptKillSent) words.push('script_kill_sent');
  if (asMaster && node.rebootedAt !== null) words.push('master_reboot');
  return words;
}

/** The phase by redis-sentinel's name; `coordinate` is ours. */
function failoverState({ phase }: Failover): string {
  switch (phase) {
    case 'wait-start':
      return 'wait_start';
    case 'select':
      return 'select_slave';
    case 'coordinate':
      return 'coordinate';
    case 'send-slaveof-noone':
      return 'send_slaveof_noone';
    case 'wait-promotion':
      return 'wait_promotion';
    case 'reconf':
      return 'reconf_slaves';
  }
}
