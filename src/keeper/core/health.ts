/** Whether our Redis answers; and if it does not: gone, hanging, or only busy. */
import { ErrorReply, type Reply } from '../../redis/reply.js';
import type { Input, ProcessLook } from './io.js';
import { type Keeper, NEVER, type Redis } from './state.js';
import { ASK_AGAIN_MS, LOOK_IDLE_PERIOD_MS, LOOK_PATIENCE_MS, pingPeriod_ms } from './timing.js';
import type { Turn } from './turn.js';
import { hearMisconf } from './unable.js';

export type Health =
  /** There is no process. */
  | { readonly is: 'absent'; readonly reason: string }
  /** There is one that cannot be told anything yet. */
  | { readonly is: 'coming'; readonly reason: string }
  | { readonly is: 'well' }
  /** It does not answer, and it is too soon to say why; or it burns CPU. Its role stays as it is. */
  | { readonly is: 'silent'; readonly reason: string }
  /** `outOfReach`: it runs and may serve others, but we cannot tell it anything. */
  | { readonly is: 'hung'; readonly reason: string; readonly outOfReach: boolean };

export function newRedis(now: number): Redis {
  return {
    process: { phase: 'unknown' },
    restarts: 0,
    link: 'never',
    linkSince: now,
    linkTrouble: '',
    loginRefused: false,
    heardAt: NEVER,
    pingSentAt: null,
    pingAt: NEVER,
    busySince: null,
    misconf: null,
    infoSentAt: null,
    infoAt: NEVER,
    infoOrders: 0,
    info: null,
    look: null,
    lookAt: NEVER,
    lookSentAt: null,
    killedAt: NEVER,
  };
}

/** Since when it owes us a sign of life; null while it owes none. */
export function silentSince({ redis }: Keeper): number | null {
  if (redis.busySince !== null) return redis.busySince;
  if (redis.link === 'up') return redis.pingSentAt;
  return redis.link === 'down' && redis.heardAt > NEVER ? redis.heardAt : null;
}

export function judgeHealth(turn: Turn): Health {
  const { k } = turn;
  const { redis } = k;
  switch (redis.process.phase) {
    case 'unknown':
      if (!k.settings.attach) return { is: 'coming', reason: 'it is not known yet whether Redis runs here' };
      break;
    case 'starting':
      return { is: 'coming', reason: 'Redis is being started' };
    case 'leaving':
    case 'ended':
      return { is: 'absent', reason: `Redis ended: ${redis.process.how}` };
    case 'running':
      break;
  }
  const since = silentSince(k);
  const silence = since === null || redis.info === null ? null : judgeSilence(turn, since);
  if (silence !== null) return silence;
  if (redis.link !== 'up') {
    return { is: 'coming', reason: noAnswer(redis) };
  }
  if (redis.info === null) return { is: 'coming', reason: 'Redis has not told its role yet' };
  if (redis.info.askedAt < redis.linkSince) return { is: 'silent', reason: 'the connection to Redis is new' };
  if (redis.info.askedAt < k.awakeSince) return { is: 'silent', reason: 'the keeper has not run for a while' };
  return redis.info.loading ? { is: 'coming', reason: 'Redis is loading its data' } : { is: 'well' };
}

/** Why nothing can be asked of it. A login that is refused does not mend itself: the operator is told what to look at. */
export function noAnswer({ linkTrouble: trouble, loginRefused }: Redis): string {
  if (loginRefused) {
    return `Redis refuses our login (${trouble}): redis.password or redis.user of this tanist.yml is not what it runs with`;
  }
  return `Redis does not answer yet${trouble === '' ? '' : ` (${trouble})`}`;
}

/** @returns null when it is none, or none yet */
function judgeSilence(turn: Turn, since: number): Health | null {
  const { k, now } = turn;
  const { hangAfter_ms, busyLimit_ms } = k.settings;
  const silent_ms = now - since;
  const brief = silent_ms < Math.min(hangAfter_ms, 2 * pingPeriod_ms(hangAfter_ms));
  // An answer that is on its way is no silence.
  if (brief && k.redis.link === 'up' && k.redis.busySince === null) {
    turn.at(since + 2 * pingPeriod_ms(hangAfter_ms));
    return null;
  }
  const told = `no answer for ${Math.round(silent_ms)} ms`;
  if (!turn.isDue(since + hangAfter_ms)) return { is: 'silent', reason: told };
  const limit = since + Math.max(busyLimit_ms, hangAfter_ms);
  if (isBusy(k, since)) {
    return turn.isDue(limit)
      ? { is: 'hung', reason: `Redis is busy: ${told}, more than ${busyLimit_ms} ms`, outOfReach: isOutOfReach(k) }
      : { is: 'silent', reason: `Redis is busy: ${told}` };
  }
  const { look } = k.redis;
  // Not looked at yet: the answer is a matter of milliseconds, and is waited for no longer.
  if ((look === null || k.redis.lookAt < since) && !turn.isDue(since + hangAfter_ms + LOOK_PATIENCE_MS)) {
    return { is: 'silent', reason: told };
  }
  return { is: 'hung', reason: `Redis hangs: ${told}, ${describeLook(look)}`, outOfReach: isOutOfReach(k) };
}

/** No connection can be made: no pause would reach it, not even when it wakes. */
function isOutOfReach({ redis }: Keeper): boolean {
  return redis.link === 'down' && redis.look?.state !== 'gone';
}

function isBusy({ redis }: Keeper, since: number): boolean {
  if (redis.busySince !== null) return true;
  return redis.lookAt >= since && redis.look?.state === 'running' && redis.look.cpuMoved;
}

function describeLook(look: ProcessLook | null): string {
  switch (look?.state) {
    case 'stopped':
      return 'its process is stopped by a signal';
    case 'disk':
      return 'its process waits for a disk';
    case 'running':
      return 'its process uses no CPU';
    case 'gone':
      return 'its process is gone';
    case 'unknown':
    case undefined:
      return 'its process cannot be seen';
  }
}

/** Sends the PING that is due. One at a time, or nearly: a Redis that does not answer is not helped by more. */
export function pingDue(turn: Turn): void {
  const { k, now } = turn;
  const { redis } = k;
  if (redis.link !== 'up') return;
  const period_ms = pingPeriod_ms(k.settings.hangAfter_ms);
  if (!turn.isDue(redis.pingAt + (redis.pingSentAt === null ? period_ms : ASK_AGAIN_MS))) return;
  redis.pingAt = now;
  redis.pingSentAt ??= now;
  turn.send('ping', 'PING');
  turn.at(now + period_ms);
}

/**
 * Looks at the process while it is silent: from half of `hang_after` on, so that two looks tell whether it uses CPU by the
 * time it counts; at once when the link is lost; seldom while it has yet to answer for the first time.
 */
export function lookDue(turn: Turn): void {
  const { k, now } = turn;
  const { redis, settings } = k;
  if (redis.process.phase === 'starting' || redis.process.phase === 'ended') return;
  if (settings.attach && redis.link === 'never') return;
  if (redis.lookSentAt !== null && !turn.isDue(redis.lookSentAt + LOOK_PATIENCE_MS)) return;
  const due = lookAt(k);
  if (due === null || !turn.isDue(due)) return;
  redis.lookSentAt = now;
  turn.effects.push({ do: 'look' });
  turn.at(now + LOOK_PATIENCE_MS);
}

function lookAt(k: Keeper): number | null {
  const { redis, settings } = k;
  if (redis.process.phase === 'unknown' && !settings.attach) return redis.lookAt + LOOK_PATIENCE_MS;
  const since = silentSince(k);
  const again = redis.lookAt + Math.max(10, settings.hangAfter_ms / 4);
  if (since !== null && redis.info !== null) {
    const first = redis.link === 'down' ? redis.linkSince : since + settings.hangAfter_ms / 2;
    return redis.lookAt < first ? first : again;
  }
  return redis.link === 'up' ? null : redis.lookAt + LOOK_IDLE_PERIOD_MS;
}

/** A reply of any kind shows that it lives, but for one that says that it is busy. */
export function hear(turn: Turn, reply: Reply, isPong: boolean): void {
  const { redis } = turn.k;
  if (reply instanceof ErrorReply && reply.code === 'BUSY') {
    redis.busySince ??= redis.pingSentAt ?? turn.now;
  } else {
    redis.busySince = null;
    redis.heardAt = turn.now;
  }
  if (!isPong) return;
  redis.pingSentAt = null;
  hearMisconf(turn, reply);
}

export function onLooked(turn: Turn, { look }: Extract<Input, { on: 'looked' }>): void {
  const { redis } = turn.k;
  redis.lookSentAt = null;
  redis.look = look;
  redis.lookAt = turn.now;
}
