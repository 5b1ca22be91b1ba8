/**
 * The keeper core: `createKeeper`, `step`, `nextDeadline`. Pure: no clock, no sockets, no randomness but its own seeded
 * source; what it wants done it returns as data.
 *
 * An input changes what is known; what follows from it is decided afresh after each (`settle.ts`), so that it does not
 * matter in which order news comes.
 */
import { assert, unreachable } from '../../base/assert.js';
import type { Prng } from '../../base/prng.js';
import type { Reply } from '../../redis/reply.js';
import { assumedPause, forgetOwed, onPauseReply, onUnpauseReply } from './fence.js';
import { hear, newRedis, noAnswer, onLooked } from './health.js';
import { onInfoReply } from './info.js';
import type { Effect, Input, KeeperMemory, Sibling, Tag } from './io.js';
import { endHandOver, onHandOver } from './lead.js';
import { newLease, onLease, onLeaseFailed, onLeaseFreed } from './lease.js';
import { onLimitsReply } from './limits.js';
import { onOrderReply } from './order.js';
import { onPair } from './pair.js';
import { onProcessEnded, onProcessRunning, onRefused } from './process.js';
import { onSaved, onSaveFailed } from './save.js';
import { settle } from './settle.js';
import { FOREVER, type Keeper, type KeeperSettings, NEVER, NO_MEMORY } from './state.js';
import { isChangingOver, letGo } from './stop.js';
import { SIBLINGS_MAX, STOP_MS, TERM_MAX } from './timing.js';
import { Turn } from './turn.js';
import { noticeSleep } from './wake.js';

/** @param memory what was persisted last; null when nothing was */
export function createKeeper(settings: KeeperSettings, memory: KeeperMemory | null, prng: Prng, now: number): Keeper {
  const leased = settings.mode === 'quorum' && settings.ttl_ms !== null;
  assert(!leased || settings.voters.length > 0, 'a lease needs voters');
  return {
    settings: leased ? settings : { ...settings, ttl_ms: null },
    prng,
    state: 'starting',
    reason: 'the keeper has just started',
    since: now,
    redis: newRedis(now),
    lease: newLease(settings.voters, prng.below(TERM_MAX)),
    localRecord: null,
    record: null,
    recordSince: NEVER,
    formerMaster: null,
    confirmFrom: now,
    confirmed: false,
    awakeSince: NEVER,
    paused: false,
    pair: null,
    siblings: [],
    newsWantedSince: null,
    newsAskedAt: NEVER,
    watchSince: null,
    pause: null,
    order: null,
    orders: 0,
    heldBackSince: null,
    ledRunId: null,
    syncedRunId: null,
    strayedSince: null,
    astraySince: null,
    saving: { is: 'none' },
    handOver: null,
    stopBy: null,
    vipUntil: null,
    vipGrantedAt: NEVER,
    vipHeld: false,
    vipRevokedAt: NEVER,
    limits: { minReplicas: null, refused: null, wellSince: null },
    memory: memory ?? NO_MEMORY,
    persisted: memory ?? NO_MEMORY,
    persistedAt: now,
    dueAt: now,
  };
}

/**
 * Takes one input at one moment. The state is changed in place; the effects are to be carried out in order, each
 * `persist` before what follows it.
 * @param now monotonic milliseconds, never less than in an earlier step
 */
export function step(k: Keeper, now: number, input: Input): Effect[] {
  if (k.state === 'stopped') return [];
  const turn = new Turn(k, now);
  noticeSleep(turn);
  take(turn, input);
  if (input.on === 'stop') k.stopBy ??= now + STOP_MS;
  if (k.stopBy === null || isChangingOver(turn)) settle(turn);
  if (k.stopBy !== null && !isChangingOver(turn)) letGo(turn);
  k.dueAt = turn.dueAt;
  return turn.effects;
}

/** When `step` wants to be called with a tick at the latest; infinite once it has stopped. */
export function nextDeadline(k: Keeper): number {
  return k.state === 'stopped' ? FOREVER : k.dueAt;
}

function take(turn: Turn, input: Input): void {
  const { k, now } = turn;
  switch (input.on) {
    case 'tick':
    case 'stop':
      return;
    case 'record':
      k.localRecord = input.record;
      k.paused = input.paused;
      return;
    case 'lease':
      return onLease(turn, input);
    case 'lease-freed':
      return onLeaseFreed(turn);
    case 'lease-failed':
      return onLeaseFailed(turn, input);
    case 'process-running':
    case 'process-ended':
    case 'process-failed':
    case 'looked':
      return takeFromProcess(turn, input);
    case 'redis-up':
    case 'redis-down':
    case 'redis-login-refused':
      return takeFromLink(turn, input);
    case 'reply':
      return onReply(turn, input.tag, input.reply);
    case 'siblings':
      k.siblings = input.siblings.slice(0, SIBLINGS_MAX).map((each: Sibling) => ({ ...each, at: now - each.age_ms }));
      return;
    case 'saved':
      return onSaved(turn, input.path);
    case 'save-failed':
      return onSaveFailed(turn, input.why);
    case 'vip':
      k.vipHeld = input.held;
      return;
    case 'pair':
      return onPair(turn, input.state);
    case 'hand-over':
      return onHandOver(turn, input.deadline_ms);
    case 'hand-over-over':
      return endHandOver(turn, 'as told');
    default:
      unreachable(input, 'input');
  }
}

type ProcessInput = Extract<Input, { on: 'process-running' | 'process-ended' | 'process-failed' | 'looked' }>;

function takeFromProcess(turn: Turn, input: ProcessInput): void {
  const { k, now } = turn;
  const { redis } = k;
  switch (input.on) {
    case 'process-running':
      return onProcessRunning(turn, input);
    case 'process-ended':
      return onProcessEnded(turn, input.how);
    case 'process-failed':
      return onProcessEnded(turn, `it cannot be started: ${input.why}`);
    case 'looked':
      onLooked(turn, input);
      if (k.settings.attach) {
        if (input.look.state === 'gone' && redis.link === 'down') onRefused(turn, 'its process is gone');
      } else if (input.look.state === 'gone') {
        if (redis.process.phase === 'unknown')
          redis.process = { phase: 'ended', how: 'it does not run', restartAt: now };
        else if (redis.process.phase !== 'starting') onProcessEnded(turn, 'its process is gone');
      } else if (redis.process.phase === 'unknown' && input.look.state !== 'unknown') {
        onProcessRunning(turn, { on: 'process-running', pid: 0, adopted: true });
      }
  }
}

type FromLink = Extract<Input, { on: 'redis-up' | 'redis-down' | 'redis-login-refused' }>;

function takeFromLink(turn: Turn, input: FromLink): void {
  const { k, now } = turn;
  const { redis, settings } = k;
  const { phase } = redis.process;
  if (input.on === 'redis-up') {
    if (redis.link === 'up') return;
    redis.link = 'up';
    redis.linkSince = now;
    redis.linkTrouble = '';
    redis.loginRefused = false;
    redis.infoAt = NEVER;
    if (settings.attach && phase !== 'running') {
      redis.process = { phase: 'running', since: now, pid: null };
      k.pause = assumedPause();
    } else if (phase === 'leaving') {
      redis.process = { phase: 'running', since: now, pid: null };
    }
    return;
  }
  const isNews = redis.linkTrouble !== input.why;
  redis.linkTrouble = input.why;
  redis.loginRefused = input.on === 'redis-login-refused';
  if (redis.loginRefused && isNews) turn.log('warning', noAnswer(redis));
  redis.pingSentAt = null;
  redis.infoSentAt = null;
  forgetOwed(k);
  if (redis.link === 'up') {
    redis.link = 'down';
    redis.linkSince = now;
  }
  // A host that answers and a port where nobody listens: the process is gone, or will be at once.
  if (input.on === 'redis-down' && input.refused && redis.heardAt > NEVER) onRefused(turn, input.why);
}

function onReply(turn: Turn, tag: Tag, reply: Reply): void {
  const { redis } = turn.k;
  // Of a process that has ended since.
  if (redis.link !== 'up') return;
  hear(turn, reply, tag === 'ping');
  switch (tag) {
    case 'info':
      return onInfoReply(turn, reply);
    case 'follow':
    case 'promote':
      return onOrderReply(turn, tag, reply);
    case 'pause':
      return onPauseReply(turn, reply);
    case 'unpause':
      return onUnpauseReply(turn);
    case 'limits':
      return onLimitsReply(turn, reply);
    case 'ping':
    case 'kill-clients':
    case 'save':
    case 'save-state':
    case 'rewrite':
    case 'ignore':
      return;
    default:
      unreachable(tag, 'tag');
  }
}
