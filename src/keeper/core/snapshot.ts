/** What a keeper knows and does, for status, metrics and the agent. Plain data, JSON-safe. */
import { infoIsCurrent, isPaused } from './fence.js';
import type { KeeperMemory, KeeperState, LeaderRecord, Place, VoterId } from './io.js';
import { heldUntil } from './lease.js';
import { countHealthy } from './limits.js';
import type { Keeper } from './state.js';
import { majority } from './timing.js';

export interface VoterAnswer {
  readonly id: VoterId;
  /** What is left of its grant; null when it gave none that counts. */
  readonly left_ms: number | null;
  /** It may vote for another although the grant lasts: a planned switchover. */
  readonly consents: boolean;
  /** Its last answer in words. */
  readonly said: string;
  readonly record: LeaderRecord | null;
}

export interface RedisView {
  readonly pid: number | null;
  /** It has answered, and owes nothing for long. */
  readonly answers: boolean;
  readonly version: string;
  readonly role: 'master' | 'replica' | 'unknown';
  readonly follows: Place | null;
  readonly linkUp: boolean;
  readonly loading: boolean;
  readonly replId: string;
  readonly offset: number;
  readonly keys: number;
  /** Attached replicas that are well. */
  readonly healthyReplicas: number;
  readonly writesPaused: boolean;
  /** Applied by the keeper; null while Redis's own setting stands. */
  readonly minReplicas: number | null;
}

export interface KeeperSnapshot {
  readonly group: string;
  readonly state: KeeperState;
  readonly reason: string;
  /** How long it has been in this state. */
  readonly for_ms: number;
  readonly record: LeaderRecord | null;
  readonly confirmed: boolean;
  /** Maintenance. */
  readonly paused: boolean;
  /** Null without a lease. */
  readonly lease: {
    readonly held: boolean;
    /** What is left of it; null while it is not held. */
    readonly left_ms: number | null;
    readonly voters: readonly VoterAnswer[];
  } | null;
  readonly handOver: {
    readonly left_ms: number;
    /** A majority of grants lets another be elected: the switchover may begin. */
    readonly ready: boolean;
  } | null;
  readonly vip: { readonly granted: boolean; readonly left_ms: number | null; readonly held: boolean };
  readonly redis: RedisView;
  /** How it stands with a copy of data that is to be discarded; empty when there is nothing to save. */
  readonly saving: string;
  readonly memory: KeeperMemory;
}

export function snapshot(k: Keeper, now: number): KeeperSnapshot {
  return {
    group: k.settings.group,
    state: k.state,
    reason: k.reason,
    for_ms: now - k.since,
    record: k.record,
    confirmed: k.confirmed,
    paused: k.paused,
    lease: viewLease(k, now),
    handOver: viewHandOver(k, now),
    vip: {
      granted: k.vipUntil !== null && k.vipUntil > now,
      left_ms: left(k.vipUntil, now),
      held: k.vipHeld,
    },
    redis: viewRedis(k),
    saving: describeSaving(k),
    memory: k.memory,
  };
}

function left(until: number | null, now: number): number | null {
  return until !== null && until > now ? until - now : null;
}

function viewLease(k: Keeper, now: number): KeeperSnapshot['lease'] {
  if (k.settings.ttl_ms === null) return null;
  const left_ms = left(heldUntil(k), now);
  const voters = k.lease.voters.map(({ id, validUntil, consents, said, record }) => ({
    id,
    left_ms: left(validUntil, now),
    consents: consents && validUntil > now,
    said,
    record,
  }));
  return { held: left_ms !== null, left_ms, voters };
}

function viewHandOver(k: Keeper, now: number): KeeperSnapshot['handOver'] {
  if (k.handOver === null) return null;
  const consents = k.lease.voters.filter((voter) => voter.consents && voter.validUntil > now).length;
  const ready = k.settings.ttl_ms === null || consents >= majority(k.lease.voters.length);
  return { left_ms: Math.max(0, k.handOver.until - now), ready };
}

function viewRedis(k: Keeper): RedisView {
  const { process: run, info, link } = k.redis;
  return {
    pid: run.phase === 'running' ? run.pid : null,
    answers: link === 'up' && info !== null && k.state !== 'failed',
    version: info?.version ?? '',
    role: info === null || !infoIsCurrent(k) ? 'unknown' : info.role,
    follows: info?.follows ?? null,
    linkUp: info?.linkUp ?? false,
    loading: info?.loading ?? false,
    replId: info?.replId ?? '',
    offset: info?.offset ?? 0,
    keys: info?.keys ?? 0,
    healthyReplicas: info === null ? 0 : countHealthy(k, info),
    writesPaused: isPaused(k),
    minReplicas: k.limits.minReplicas,
  };
}

function describeSaving({ saving }: Keeper): string {
  switch (saving.is) {
    case 'none':
      return '';
    case 'running':
      return 'under way';
    case 'saved':
      return `saved as ${saving.path}`;
    case 'failed':
      return `failed ${saving.tries} times: ${saving.why}`;
  }
}
