/** What this host's Sentinel starts with: the settings of tanist.yml, and what it has learnt and promised before. */
import { MASTER_CONF_DEFAULTS, type MasterConf, type SentinelState, STATE_DEFAULTS } from '../config/sentinel-types.js';
import type { ClusterMode, GroupConfig, HostConfig, TanistConfig } from '../config/tanist/model.js';
import { sentinelId } from './identity.js';

/** Votes needed for an agreement that a master is down: a majority of all hosts. */
export function quorumOf(config: TanistConfig): number {
  return Math.floor(config.hosts.length / 2) + 1;
}

/**
 * Settings come from the file, history from what was kept: epochs, votes, who leads, maintenance. A group that the file no
 * longer names is forgotten; one that is new starts with its first host as the master of epoch 0.
 * @param before what mode the state was kept in
 */
export function sentinelStateFor(
  config: TanistConfig,
  self: HostConfig,
  kept: SentinelState | null,
  before: ClusterMode,
): SentinelState {
  return {
    ...STATE_DEFAULTS,
    myId: sentinelId(config.cluster, self.name),
    currentEpoch: kept?.currentEpoch ?? 0,
    announceIp: self.address,
    announcePort: config.sentinel.port,
    sentinelPass: config.sentinel.auth?.value ?? '',
    masters: config.groups.map((group) => {
      const known = kept?.masters.find(({ name }) => name === group.name) ?? null;
      const conf = masterConf(config, self, group, known);
      // A pair's Sentinels are kept from deciding by the same means as in maintenance.
      const inMaintenance = before === 'quorum' && known?.paused === true;
      return { ...conf, paused: config.mode === 'pair' || inMaintenance };
    }),
  };
}

function masterConf(config: TanistConfig, self: HostConfig, group: GroupConfig, kept: MasterConf | null): MasterConf {
  const places = placesOf(config, group);
  const first = places[0];
  if (first === undefined) throw new Error(`group ${group.name} has no host`);
  const master = kept ?? first;
  const auth = group.redis.auth;
  return {
    ...MASTER_CONF_DEFAULTS,
    name: group.name,
    host: master.host,
    port: master.port,
    quorum: quorumOf(config),
    downAfter_ms: config.sentinel.downAfter_ms,
    failoverTimeout_ms: config.sentinel.failoverTimeout_ms,
    parallelSyncs: places.length,
    authUser: auth?.user ?? '',
    authPass: auth?.password.value ?? '',
    fastDown: true,
    leaseTtl_ms: config.lease.ttl_ms ?? 0,
    ackReplicas: group.durability === 'replicated' ? 1 : 0,
    candidateLagMax_bytes: group.redis.candidateLagMax_bytes ?? 0,
    configEpoch: kept?.configEpoch ?? 0,
    leaderEpoch: kept?.leaderEpoch ?? 0,
    votedLeader: kept?.votedLeader ?? '',
    replicas: places.filter(({ host, port }) => host !== master.host || port !== master.port),
    sentinels: config.hosts
      .filter(({ name }) => name !== self.name)
      .map(({ name, address }) => ({
        host: address,
        port: config.sentinel.port,
        runId: sentinelId(config.cluster, name),
      })),
  };
}

/** Where the Redis processes of a group are, in the order of the file. */
export function placesOf(config: TanistConfig, group: GroupConfig): { host: string; port: number }[] {
  return group.hosts.map((name) => {
    const host = config.hosts.find((each) => each.name === name);
    if (host === undefined) throw new Error(`group ${group.name} names an unknown host ${name}`);
    return { host: host.address, port: group.redis.port };
  });
}
