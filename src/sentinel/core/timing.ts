/** Periods and limits of the protocol, in milliseconds. Those of redis-sentinel keep its values, so that a mixed quorum
 * behaves as one; ours are marked as such. */

export const INFO_PERIOD_MS = 10_000;
/** INFO to replicas while their master is down or they have lost it. */
export const INFO_PERIOD_URGENT_MS = 1_000;
export const PING_PERIOD_MS = 1_000;
export const ASK_PERIOD_MS = 1_000;
export const HELLO_PERIOD_MS = 2_000;
export const TILT_TRIGGER_MS = 2_000;
export const TILT_PERIOD_MS = 30_000;
/** Ours: TILT where every master is leased. Long enough for answers from everybody. */
export const TILT_PERIOD_LEASED_MS = 3_000;
export const REPLICA_RECONF_TIMEOUT_MS = 10_000;
export const ELECTION_TIMEOUT_MS = 10_000;
export const MAX_DESYNC_MS = 1_000;
export const MIN_LINK_RECONNECT_MS = 15_000;
/** Requests a connection may have outstanding, for each master that shares it. */
export const MAX_PENDING_COMMANDS = 100;

/** Ours: pings are sent this many times within down-after, so that a silence is noticed close to down-after itself. */
export const PINGS_IN_DOWN_AFTER = 5;
export const MIN_PING_PERIOD_MS = 20;
/** Ours: an ask is repeated this soon after SDOWN, then ever later up to ASK_PERIOD_MS. */
export const FIRST_ASK_REPEAT_MS = 25;
/**
 * Ours: candidates start in the order of their ids, this far apart, so that votes seldom split: two round trips to the
 * slowest of them, be that the network's doing or that of a loaded host, within these bounds.
 */
export const START_RANK_STEP_MS = 25;
export const START_RANK_STEP_MAX_MS = 100;
export const START_JITTER_MS = 10;
/** Ours: a candidate that wakes later than this after its time has missed it, and waits for its turn again; so often. */
export const START_LATE_MS = 10;
export const STARTS_MISSED_MAX = 3;
/** Ours: how long an election that nobody can win any more is left alone before the next. */
export const SPLIT_RETRY_MIN_MS = 50;
export const SPLIT_RETRY_MAX_MS = 300;
export const SPLIT_RETRIES_MAX = 8;
/** Ours: how long fresh INFO is waited for when a candidate is chosen; longer while none has answered. */
export const PROBE_MS = 250;
export const PROBE_NONE_MS = 1_000;
/** Ours: a failover without a good candidate is tried again this soon, once there is one. */
export const NO_CANDIDATE_RETRY_MS = 1_000;
/** Ours: +switch-master is told to clients after this, also when some replica is still synchronising. */
export const SWITCH_GRACE_MS = 100;
/** Ours: reconnection delays; redis-sentinel tries once a second. */
export const RECONNECT_MIN_MS = 50;
export const RECONNECT_MAX_MS = 1_000;
/** Ours: the longest time writes stay paused by a coordinated failover before it is given up. */
export const COORDINATION_MAX_MS = 5_000;
/** Ours: a promotion after a pause is sent only while this part of the pause is left. */
export const PAUSE_MARGIN = 0.4;
/** Ours: a pause outlasts the lease by this. */
export const PAUSE_SPARE_MS = 100;
/** Ours: how long a manual failover tries for a majority before it goes on without, as redis-sentinel always does. */
export const MANUAL_ELECTION_MS = 500;
/** Ours: the shortest period at which a Redis is asked for the change that is expected of it. */
export const WATCH_PERIOD_MS = 10;
/** redis-sentinel waits this long before it turns a replica that says it is a master back into a replica. */
export const CONVERT_WAIT_MS = 4 * HELLO_PERIOD_MS;
/** Deadlines are rounded up to this, so that many monitored masters share one wake-up. */
export const TICK_GRAIN_MS = 5;
export const CONNECT_TIMEOUT_MAX_MS = 5_000;

/**
 * Ours: after a vote the old master gets no lease for this long, or until the elected one's configuration is here. The
 * elected one sends its promotion only while `LEASE_PROMISE_SPARE_MS` of it are left.
 */
export const LEASE_PROMISE_MS = 3_000;
export const LEASE_PROMISE_SPARE_MS = 1_000;
/** Ours: and takes the promotion for done only if it hears of it by then; clocks may run apart meanwhile. */
export const PROMOTED_WITHIN_MS = 2_700;
/**
 * Ours: a master that has not answered PING for this long, or CLIENT PAUSE, is not waited for in a failover. A dead one has
 * been silent for longer when its lease is over; a host under load takes its time.
 */
export const HELP_WITHIN_MS = 500;
/** Ours: a master that is handed over is paused so long after the last vote: until then the proxies hold what is for it. */
export const HOLD_LEAD_MS = 10;
/** Ours: and so long after the election at most, whoever has not voted yet. */
export const HOLD_LEAD_MAX_MS = 50;
/** Ours: a keeper that consented demotes the old master within this; the pause of its writes lasts longer. */
export const KEEPER_DEMOTES_MS = 200;
/** Ours: a new master is given this, beyond a ttl, to get its first lease. */
export const LEASE_GRACE_MS = 500;
/** Ours: clocks of two hosts may run apart by this part. */
const CLOCK_DRIFT = 0.05;

/** How long another host may take for what are `ttl_ms` by its own clock. */
export function withDrift_ms(ttl_ms: number): number {
  return ttl_ms * (1 + CLOCK_DRIFT);
}

/** Ours: how many members a group may have; whoever may publish on a Redis could invent any number of them. */
export const SENTINELS_MAX = 256;
export const REPLICAS_MAX = 1_024;

/** Ours: what is periodic may leave this part of its period early, at most `BEAT_MAX_MS`. */
const BEAT_PART = 1 / 20;
const BEAT_MAX_MS = 50;

/**
 * The beat at which something is due that was last done at `last` and has this period. Beats are multiples of a few
 * milliseconds: a PING and a hello for the same Redis so leave in one packet, those for many masters in one wake-up.
 */
export function nextBeat(last: number, period_ms: number): number {
  const beat_ms = Math.min(BEAT_MAX_MS, period_ms * BEAT_PART);
  return Math.floor((last + period_ms) / beat_ms) * beat_ms;
}
