/**
 * TILT: after a stall of our own process what we believe of others is stale, so for a while we observe and do not act.
 * Time is monotonic here: a jump of the wall clock does not cause it.
 */
import { NEVER, redisNodes, type Sentinel } from './state.js';
import { TILT_PERIOD_LEASED_MS, TILT_PERIOD_MS, TILT_TRIGGER_MS } from './timing.js';
import type { Turn } from './turn.js';

/** Enters TILT when this step comes far later than was asked for, leaves it when its time is over. */
export function watchForTilt(turn: Turn): void {
  const { s, now } = turn;
  if (now - s.dueAt > TILT_TRIGGER_MS) {
    if (s.tiltSince === null) turn.plainEvent('warning', '+tilt', '#tilt mode entered');
    s.tiltSince = now;
    forgetSilence(turn);
  } else if (s.tiltSince !== null && now - s.tiltSince > period_ms(s)) {
    s.tiltSince = null;
    turn.plainEvent('warning', '-tilt', '#tilt mode exited');
    for (const group of s.groups.values()) turn.touch(group);
  }
}

/** It was we who were silent: nobody is judged by pings that we could not follow. */
function forgetSilence(turn: Turn): void {
  for (const link of turn.s.links) {
    if (link.activePingSince !== null) link.activePingSince = turn.now;
    link.lastAvailableAt = turn.now;
  }
  for (const group of turn.s.groups.values()) {
    for (const peer of group.sentinels.values()) {
      peer.saysMasterDown = false;
      peer.lastAskReplyAt = NEVER;
    }
    for (const node of redisNodes(group)) node.lastDownAt = turn.now;
  }
}

export function tiltEndsAt(turn: Turn): number {
  return turn.s.tiltSince === null ? Number.POSITIVE_INFINITY : turn.s.tiltSince + period_ms(turn.s) + 1;
}

/** A master with a lease is replaced by no misjudgement: its grants outlast our stall, and who gave them elects nobody. */
function period_ms({ groups }: Sentinel): number {
  const isLeased = groups.size > 0 && [...groups.values()].every(({ leaseTtl_ms }) => leaseTtl_ms > 0);
  return isLeased ? TILT_PERIOD_LEASED_MS : TILT_PERIOD_MS;
}
