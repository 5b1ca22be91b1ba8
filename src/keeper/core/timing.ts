/** Periods and limits of the keeper, in milliseconds, and the arithmetic of the lease. */

/** PING to our Redis: often enough to see a silence five times before it counts as a hang. */
export const PING_PERIOD_MAX_MS = 100;
export const PINGS_IN_HANG = 5;
export const PING_PERIOD_MIN_MS = 10;
export const INFO_PERIOD_MS = 1_000;
/** INFO while a lone replica decides whether the master may go on writing. */
export const INFO_PERIOD_LONE_MS = 200;
/** A step may be later than it was due by this; what is beyond does not count as a silence of others. */
export const LATE_MS = 50;
/** Later than this: the keeper was not run, and nothing that it waited for is taken for missing. */
export const SLEPT_MS = 500;
/** INFO, and asks for the lease, while a change is waited for. */
export const WATCH_MIN_MS = 10;
export const WATCH_MAX_MS = 25;
/** PING and INFO without a reply are sent again: the reply may have been given up on the way. */
export const ASK_AGAIN_MS = 1_000;
/** After this no reply comes any more. */
export const REPLY_MAX_MS = 12_000;
/** A look at the process that was not answered is made again. */
export const LOOK_PATIENCE_MS = 500;
export const LOOK_IDLE_PERIOD_MS = 1_000;

/** A Redis that ended is started again after this long, doubled each time. */
export const RESTART_MIN_MS = 100;
export const RESTART_MAX_MS = 5_000;
/** Up for this long: the next end is a first one again. */
export const RESTART_FORGET_MS = 10_000;
/** No word of a process that was to be started. */
export const START_PATIENCE_MS = 30_000;
/** A process that hangs and whose place another has taken is ended again, should it not have been. */
export const KILL_AGAIN_MS = 5_000;
/** A replica that hangs harms nobody; after this long it is started anew. */
export const REPLICA_HUNG_MS = 30_000;

/** A write pause outlives an agent that dies for this long; lifted by order, never by waiting. */
export const PAUSE_MS = 60_000;
export const PAUSE_AGAIN_MS = 15_000;
/** An order without a reply, on a link that is up, is given again. */
export const ORDER_PATIENCE_MS = 1_000;
/** Paused for this long without a lease: it follows nobody, its clients are sent away. */
export const FENCED_MAX_MS = 5_000;
export const ORDER_RETRY_MIN_MS = 100;
export const ORDER_RETRY_MAX_MS = 5_000;
/** A replica that turned master without us: the Sentinels may be promoting it, and the record is on its way. */
export const PROMOTION_GRACE_MS = 3_000;
/** A replica that follows one whom the record does not name: the Sentinels may have sent it there, as above. */
export const ASTRAY_GRACE_MS = 1_000;
/** A leased master that turned replica without us: a switchover may be under way. */
export const ROLE_LOST_GRACE_MS = 1_000;

/** An agent that ends waits so long for its Redis to say that it takes no writes: then the lease goes back. */
export const STOP_MS = 1_000;

/** How long news of all siblings is waited for before a Redis that comes from disk is promoted. */
export const SIBLINGS_WAIT_MS = 2_000;
/** The same for one that has lost its keys: a fuller sibling may still be starting. */
export const EMPTY_WAIT_MS = 30_000;
export const SIBLINGS_MAX = 32;

export const SAVE_RETRY_MIN_MS = 1_000;
/** Room for a copy may come at any time, and without one the Redis is of no use. */
export const SAVE_RETRY_MAX_MS = 10_000;
export const SAVE_DEADLINE_MS = 30 * 60_000;
/** Attempts after which the operator is called. */
export const SAVE_TRIES_LOUD = 5;

/** Without a lease nothing limits how long a VIP may stay but our being there. */
export const VIP_ROLL_MS = 3_000;
export const VIP_ROLL_PERIOD_MS = 1_000;
/** How long a master that another has followed waits for its VIP to leave before it is demoted. */
export const VIP_LEAVES_MS = 30;
/** A VIP that the router holds against our word is revoked again. */
export const REVOKE_AGAIN_MS = 1_000;

/** Pair mode: how long the new master waits to see the old one gone or demoted; VRRP has decided all the same. */
export const PAIR_TAKEOVER_MS = 3_000;

/** A new master without a replica holds its writes for so long, where they are taken only with one: then they are refused. */
export const REPLICA_WAIT_MS = 500;
/** A replica must have been attached and well for this long before writes depend on it. */
export const LIMITS_RAISE_MS = 1_000;
/** What Redis knows of a replica's lag has a grain of a second, twice: less than 2 would refuse writes at random. */
export const MIN_REPLICAS_LAG_S = 2;

/** What changes all the time is written down this often. */
export const MEMORY_PERIOD_MS = 5_000;

/** Asks that one voter may owe an answer; older ones are forgotten, their answers do not count. */
export const ASKS_MAX = 8;

/** The first term of a lease is drawn from so many. */
export const TERM_MAX = 2 ** 31;

/**
 * How long a grant counts, from when it was asked for: the clocks of two hosts may differ in speed, and a grant is dated
 * in whole milliseconds.
 */
export function grantCounts_ms(ttl_ms: number): number {
  return ttl_ms - (ttl_ms * 0.05 + 10);
}

/** How long before the lease ends writes are paused and the VIP is let go: both take their time. */
export function guard_ms(ttl_ms: number): number {
  return Math.max(20, ttl_ms * 0.05);
}

/** Grants are renewed this often: three asks may be lost. */
export function renewal_ms(ttl_ms: number): number {
  return ttl_ms / 4;
}

export function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** PING period. */
export function pingPeriod_ms(hangAfter_ms: number): number {
  return Math.max(PING_PERIOD_MIN_MS, Math.min(PING_PERIOD_MAX_MS, hangAfter_ms / PINGS_IN_HANG));
}

/** The wait before try `tries` + 1, before jitter: doubled each time. */
export function doubled_ms(min_ms: number, max_ms: number, tries: number): number {
  return Math.min(max_ms, min_ms * 2 ** Math.min(30, Math.max(0, tries)));
}
