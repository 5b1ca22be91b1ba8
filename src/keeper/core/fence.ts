/** Fencing: the VIP goes, writes are paused. First of all, whenever the right to lead has ended. */
import { ErrorReply, type Reply } from '../../redis/reply.js';
import { NOWHERE } from './io.js';
import { orderReplicaOf } from './order.js';
import { type Keeper, NEVER, type Pause } from './state.js';
import { FENCED_MAX_MS, ORDER_PATIENCE_MS, PAUSE_AGAIN_MS, PAUSE_MS, REPLY_MAX_MS } from './timing.js';
import type { Turn } from './turn.js';
import { revokeVip } from './vip.js';

const PAUSES_OWED_MAX = 3;

/** A pause that an earlier agent may have left behind. */
export function assumedPause(): Pause {
  return { sentAt: NEVER, owed: 0, confirmed: false, refused: null, liftedAt: null };
}

/** Whether INFO is newer than the last order that changes a role. */
export function infoIsCurrent({ redis, orders }: Keeper): boolean {
  return redis.info !== null && redis.info.orders === orders;
}

/** Whether our Redis could take a write, as far as we know. */
export function mayBeMaster(k: Keeper): boolean {
  return k.redis.info !== null && (k.redis.info.role === 'master' || isBeingPromoted(k));
}

/** We told it to lead, and have not seen since that it does not. */
function isBeingPromoted(k: Keeper): boolean {
  if (k.order === null || k.order.target !== null) return false;
  const settled = k.order.answered || k.order.refused !== null;
  return !(settled && infoIsCurrent(k) && k.redis.info?.role === 'replica');
}

/** Whether Redis has confirmed that writes wait, and was not told otherwise since. */
export function isPaused({ pause }: Keeper): boolean {
  return pause?.confirmed === true && pause.liftedAt === null;
}

/** Whether it is known that it takes none: then the lease may be given back before it ends. */
export function takesNoWrites(k: Keeper): boolean {
  if (k.redis.info === null) return k.redis.process.phase === 'ended' || k.redis.process.phase === 'leaving';
  if (isPaused(k)) return true;
  if (k.order !== null && k.order.target !== null && k.order.answered) return true;
  return infoIsCurrent(k) && !mayBeMaster(k);
}

/**
 * Our Redis must not take writes: no VIP, and a pause if it is a master. One that has been paused for too long, or cannot
 * be, follows nobody, and its clients are sent away.
 */
export function holdBack(turn: Turn, reason: string): void {
  const { k } = turn;
  revokeVip(turn, reason);
  if (!mayBeMaster(k)) return;
  k.heldBackSince ??= turn.now;
  pauseWrites(turn);
  const refused = k.pause !== null && k.pause.refused !== null;
  if (refused || turn.isDue(k.heldBackSince + FENCED_MAX_MS)) demote(turn, reason);
}

/** Makes a master a replica of nobody. Clients whose writes wait in the pause are disconnected before it ends. */
export function demote(turn: Turn, reason: string): void {
  revokeVip(turn, reason);
  pauseWrites(turn);
  orderReplicaOf(turn, NOWHERE, reason);
}

/** Pauses writes, again and again before the pause ends. Reads go on. */
export function pauseWrites(turn: Turn): void {
  const { k, now } = turn;
  k.pause ??= assumedPause();
  const { pause } = k;
  if (now - pause.sentAt > REPLY_MAX_MS) pause.owed = 0;
  // One that does not answer is not helped by more.
  if (pause.refused !== null || pause.owed >= PAUSES_OWED_MAX) return;
  const sendAt = pause.sentAt + (pause.confirmed ? PAUSE_AGAIN_MS : ORDER_PATIENCE_MS);
  if (pause.liftedAt === null && !turn.isDue(sendAt)) return;
  const begins = pause.sentAt === NEVER || pause.liftedAt !== null;
  if (!turn.send('pause', 'CLIENT', 'PAUSE', String(PAUSE_MS), 'WRITE')) return;
  // A pause does not hold up the answer to a WAIT: a write would be acknowledged that nobody counts on any more.
  if (begins && k.settings.durability === 'replicated') turn.send('kill-clients', 'CLIENT', 'KILL', 'TYPE', 'normal');
  if (pause.liftedAt !== null) k.pause = { ...assumedPause(), owed: pause.owed };
  k.pause.sentAt = now;
  k.pause.owed += 1;
  turn.at(now + ORDER_PATIENCE_MS);
}

/** A leased master writes again; and a replica must not be paused, for that would hold up its master's stream. */
export function liftPause(turn: Turn): void {
  const { k, now } = turn;
  const { pause } = k;
  if (pause === null) return;
  if (pause.liftedAt !== null && !turn.isDue(pause.liftedAt + ORDER_PATIENCE_MS)) return;
  if (!turn.send('unpause', 'CLIENT', 'UNPAUSE')) return;
  pause.liftedAt = now;
  turn.at(now + ORDER_PATIENCE_MS);
}

export function onPauseReply({ k }: Turn, reply: Reply): void {
  const { pause } = k;
  if (pause === null) return;
  pause.owed = Math.max(0, pause.owed - 1);
  if (reply instanceof ErrorReply) pause.refused = reply.message;
  else pause.confirmed = pause.owed === 0;
}

export function onUnpauseReply({ k }: Turn): void {
  // A server that does not know the word has no pause that could be lifted.
  if (k.pause !== null && k.pause.liftedAt !== null) k.pause = null;
}

/** The link is gone, and with it the answers to what was sent. */
export function forgetOwed({ pause, order }: Keeper): void {
  if (pause !== null) {
    pause.owed = 0;
    if (!pause.confirmed) pause.sentAt = NEVER;
    if (pause.liftedAt !== null) pause.liftedAt = NEVER;
  }
  if (order !== null && !order.answered) order.retryAt = NEVER;
}
