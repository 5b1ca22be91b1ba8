/** Orders that change a role: REPLICAOF, repeated until INFO shows that it has worked. */
import { placeName } from '../../base/place.js';
import { ErrorReply, type Reply } from '../../redis/reply.js';
import type { Place } from './io.js';
import { type Keeper, type Order, samePlace } from './state.js';
import { doubled_ms, ORDER_RETRY_MAX_MS, ORDER_RETRY_MIN_MS } from './timing.js';
import type { Turn } from './turn.js';

/**
 * Orders our Redis to follow `target`, or (null) to lead. A master that becomes a replica is told so and loses its clients
 * in one transaction: a write that waits in a pause is dropped with its connection, and is not carried out later. Our own
 * connection and those of replicas stay; the Sentinels' and the proxies' come back by themselves.
 */
export function orderReplicaOf(turn: Turn, target: Place | null, reason: string): void {
  const { k, now } = turn;
  const again = k.order !== null && samePlace(k.order.target, target) ? k.order : null;
  turn.watches = true;
  if (again !== null && !turn.isDue(again.retryAt)) return;
  const tries = again === null ? 0 : again.tries + 1;
  if (!sendOrder(turn, target, again)) return;
  const retryAt = now + turn.jitter(2 * doubled_ms(ORDER_RETRY_MIN_MS, ORDER_RETRY_MAX_MS, tries));
  k.order = { target, firstAt: again?.firstAt ?? now, sentAt: now, tries, retryAt, answered: false, refused: null };
  k.orders += 1;
  k.watchSince = now;
  turn.at(retryAt);
  if (again === null) turn.log('notice', `Redis is told to ${describeTarget(target)}: ${reason}`);
}

function sendOrder(turn: Turn, target: Place | null, again: Order | null): boolean {
  if (target === null) return turn.send('promote', 'REPLICAOF', 'NO', 'ONE');
  const order = ['REPLICAOF', target.host, String(target.port)] as const;
  if (turn.k.redis.info?.role === 'replica') return turn.send('follow', ...order);
  // A transaction that was refused has done nothing; then each for itself.
  if (again?.refused !== undefined && again.refused !== null) {
    return (
      turn.send('follow', ...order) &&
      turn.send('kill-clients', 'CLIENT', 'KILL', 'TYPE', 'normal') &&
      turn.send('kill-clients', 'CLIENT', 'KILL', 'TYPE', 'pubsub')
    );
  }
  return (
    turn.send('ignore', 'MULTI') &&
    turn.send('ignore', ...order) &&
    turn.send('ignore', 'CLIENT', 'KILL', 'TYPE', 'normal') &&
    turn.send('ignore', 'CLIENT', 'KILL', 'TYPE', 'pubsub') &&
    turn.send('follow', 'EXEC')
  );
}

function describeTarget(target: Place | null): string {
  return target === null ? 'lead' : `follow ${placeName(target)}`;
}

export function onOrderReply(turn: Turn, tag: 'follow' | 'promote', reply: Reply): void {
  const { order } = turn.k;
  if (order === null || (order.target === null) !== (tag === 'promote')) return;
  const refusal = findError(reply);
  if (refusal === null) {
    order.answered = true;
  } else {
    order.refused = refusal;
    turn.log('warning', `Redis refuses to ${describeTarget(order.target)}: ${refusal}`);
  }
}

/** An error, or one that is the first answer of a transaction (that of REPLICAOF). */
function findError(reply: Reply): string | null {
  if (reply instanceof ErrorReply) return reply.message;
  if (reply === null) return 'the transaction was not carried out';
  const first: unknown = Array.isArray(reply) ? reply[0] : null;
  return first instanceof ErrorReply ? first.message : null;
}

/** Ends an order that INFO, asked for since, shows to have worked. */
export function settleOrder(k: Keeper): void {
  const { order } = k;
  const { info } = k.redis;
  if (order === null || info === null || info.orders < k.orders) return;
  const worked =
    order.target === null ? info.role === 'master' : info.role === 'replica' && samePlace(info.follows, order.target);
  if (worked) k.order = null;
}
