/** The process: found, started, ended, started again. */
import { assumedPause } from './fence.js';
import type { Input } from './io.js';
import { persistDue } from './memory.js';
import { NEVER, type Redis } from './state.js';
import {
  doubled_ms,
  KILL_AGAIN_MS,
  RESTART_FORGET_MS,
  RESTART_MAX_MS,
  RESTART_MIN_MS,
  START_PATIENCE_MS,
} from './timing.js';
import type { Turn } from './turn.js';

export function onProcessRunning(turn: Turn, { pid, adopted }: Extract<Input, { on: 'process-running' }>): void {
  const { k, now } = turn;
  if (k.redis.process.phase === 'running' && k.redis.process.pid === pid) return;
  vanish(turn, k.redis.link === 'up' ? 'up' : 'never');
  k.redis.process = { phase: 'running', since: now, pid };
  if (adopted) k.pause = assumedPause();
  turn.log('notice', adopted ? `Redis runs already (pid ${pid}): it is taken over` : `Redis was started (pid ${pid})`);
}

/** A process that ended, or did not come to be: it is started again, ever later. */
export function onProcessEnded(turn: Turn, how: string): void {
  const { k, now } = turn;
  const { redis } = k;
  if (redis.process.phase === 'ended') return;
  persistDue(turn, 'now');
  const lived_ms = redis.process.phase === 'running' ? now - redis.process.since : 0;
  if (lived_ms >= RESTART_FORGET_MS) redis.restarts = 0;
  const wait_ms = turn.jitter(doubled_ms(RESTART_MIN_MS, RESTART_MAX_MS, redis.restarts));
  redis.restarts += 1;
  vanish(turn, 'down');
  redis.process = { phase: 'ended', how, restartAt: now + wait_ms };
  turn.log('warning', `Redis ended: ${how}`);
}

/** Nothing is known of our Redis any more, and who it is must be confirmed anew. */
export function vanish(turn: Turn, link: Redis['link']): void {
  const { k, now } = turn;
  const { redis } = k;
  redis.info = null;
  redis.infoSentAt = null;
  redis.pingSentAt = null;
  redis.busySince = null;
  redis.misconf = null;
  redis.look = null;
  redis.lookAt = NEVER;
  redis.lookSentAt = null;
  redis.killedAt = NEVER;
  redis.link = link;
  redis.linkSince = now;
  redis.linkTrouble = '';
  redis.loginRefused = false;
  redis.heardAt = NEVER;
  k.pause = null;
  k.heldBackSince = null;
  k.order = null;
  k.strayedSince = null;
  k.astraySince = null;
  k.ledRunId = null;
  k.syncedRunId = null;
  k.limits = { minReplicas: null, refused: null, wellSince: null };
  k.confirmed = false;
  k.confirmFrom = now;
}

/** Starts a process that is not there. In maintenance the operator does. */
export function startDue(turn: Turn): void {
  const { k, now } = turn;
  const { redis } = k;
  if (k.settings.attach) return;
  if (redis.process.phase === 'starting') {
    if (turn.isDue(redis.process.since + START_PATIENCE_MS)) redis.process = { phase: 'unknown' };
    return;
  }
  if (redis.process.phase !== 'ended' || k.paused || !turn.isDue(redis.process.restartAt)) return;
  redis.process = { phase: 'starting', since: now };
  turn.effects.push({ do: 'start-redis' });
  turn.at(now + START_PATIENCE_MS);
}

/** Ends a process that hangs. Never a master that the record still names: its data may be all there is. */
export function killHung(turn: Turn, reason: string): void {
  const { k, now } = turn;
  if (k.settings.attach || k.paused || !turn.isDue(k.redis.killedAt + KILL_AGAIN_MS)) return;
  k.redis.killedAt = now;
  turn.log('warning', `The Redis process is ended: ${reason}`);
  turn.effects.push({ do: 'kill-redis', reason });
  turn.at(now + KILL_AGAIN_MS);
}

/** Nobody listens any more where our Redis did. */
export function onRefused(turn: Turn, how: string): void {
  const { redis } = turn.k;
  if (redis.process.phase !== 'running') return;
  persistDue(turn, 'now');
  vanish(turn, 'never');
  redis.process = { phase: 'leaving', how };
  turn.log('warning', `Redis does not listen any more: ${how}`);
}
