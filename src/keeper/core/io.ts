/**
 * The boundary of the keeper core: one Redis of one group on this host. Everything that may come in, everything that may
 * go out, as data, so that the runner and the simulator drive the same core.
 */
import type { Reply } from '../../redis/reply.js';

/** Where a Redis is reached, as the leader record names it. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * Whom a Redis follows that must take no write: nobody can answer there. A managed Redis is started with it
 * (`--replicaof`), and a demoted one is sent there until it is known that it may follow the leader.
 */
export const NOWHERE: Place = { host: '127.0.0.1', port: 1 };

/** Who leads a group, as decided by the Sentinels: the one truth that role, VIP and routes are derived from. */
export interface LeaderRecord {
  readonly epoch: number;
  readonly master: Place;
}

/** Another Redis of the group, as the Sentinel on this host last heard of it; used before data could be lost. */
export interface Sibling {
  readonly place: Place;
  /** Answers now. */
  readonly alive: boolean;
  readonly role: 'master' | 'replica';
  readonly replId: string;
  /** The second history that it can serve, and up to which offset; empty when there is none. */
  readonly replId2: string;
  readonly secondOffset: number;
  readonly offset: number;
  readonly keys: number;
  /** It follows a master, and has its connection to it. */
  readonly linkUp: boolean;
  /** It could not write to its disk when it last tried: as a master it may refuse writes. */
  readonly diskFails: boolean;
  /** How old this news is. */
  readonly age_ms: number;
}

/** What the runner saw of a process that does not answer. */
export type ProcessLook =
  | { readonly state: 'gone' }
  /** Stopped by a signal, or waiting for a disk. */
  | { readonly state: 'stopped' | 'disk' }
  /** `cpuMoved`: it used CPU since the last look: busy, not dead. */
  | { readonly state: 'running'; readonly cpuMoved: boolean }
  /** It cannot be seen: attached, and its pid is not known. */
  | { readonly state: 'unknown' };

/** A Sentinel that may grant the lease: the name of its host. */
export type VoterId = string;

/** What a request to our Redis was for; handed back with its reply. */
export type Tag =
  | 'ping'
  | 'info'
  | 'follow'
  | 'promote'
  | 'pause'
  | 'unpause'
  | 'kill-clients'
  | 'limits'
  | 'save'
  | 'save-state'
  | 'rewrite'
  | 'ignore';

export type Input =
  | { readonly on: 'tick' }
  /** The Sentinel on this host knows this record (at the start, and at each change). */
  | { readonly on: 'record'; readonly record: LeaderRecord; readonly paused: boolean }
  /** The answer to `ask-lease`; `record` is what that Sentinel believes. */
  | {
      readonly on: 'lease';
      readonly voter: VoterId;
      readonly ask: number;
      readonly granted: boolean;
      readonly reason: string;
      readonly record: LeaderRecord | null;
      /** For so long it has lent the lease to the master of its record, and lets nobody else be elected. */
      readonly leased_ms: number;
      /** The epoch of its vote if it refuses because of that unless a majority grants without it; null if it does not. */
      readonly vote: number | null;
    }
  /** The Sentinel on this host was given a lease back: the others, too, have probably been. */
  | { readonly on: 'lease-freed' }
  /** No answer, or the Sentinel does not know the call. */
  | { readonly on: 'lease-failed'; readonly voter: VoterId; readonly ask: number; readonly why: string }
  /**
   * The process: running (ours or adopted), ended, or it cannot be started. One that is found running at the start is
   * told of before the answer to the first `look`. Not told of an attached Redis: there the link alone counts.
   */
  | { readonly on: 'process-running'; readonly pid: number; readonly adopted: boolean }
  | { readonly on: 'process-ended'; readonly how: string }
  | { readonly on: 'process-failed'; readonly why: string }
  | { readonly on: 'looked'; readonly look: ProcessLook }
  /**
   * The link to our Redis: connected and logged in; lost, or an attempt failed, or our login was refused. After the latter
   * two no reply to a request made before follows. `refused`: the host answers and nobody listens.
   */
  | { readonly on: 'redis-up' }
  | { readonly on: 'redis-login-refused'; readonly why: string }
  | { readonly on: 'redis-down'; readonly why: string; readonly refused: boolean }
  | { readonly on: 'reply'; readonly tag: Tag; readonly reply: Reply }
  /** All that is known of the others, whenever some of it is news; also the answer to `ask-siblings`. */
  | { readonly on: 'siblings'; readonly siblings: readonly Sibling[] }
  /** The answer to `save-aside`. */
  | { readonly on: 'saved'; readonly path: string }
  | { readonly on: 'save-failed'; readonly why: string }
  /** Whether the VIP is on this host, as the router tells. */
  | { readonly on: 'vip'; readonly held: boolean }
  /** Pair mode: what VRRP decided for this host. */
  | { readonly on: 'pair'; readonly state: 'master' | 'backup' | 'fault' }
  /**
   * An operator's planned switchover begins: grants are asked for with the consent to elect another. It is over by itself
   * `deadline_ms` from now.
   */
  | { readonly on: 'hand-over'; readonly deadline_ms: number }
  | { readonly on: 'hand-over-over' }
  /** The agent ends. Redis stays. */
  | { readonly on: 'stop' };

export type KeeperState =
  /** Our Redis is not there yet, or does not answer. */
  | 'starting'
  /** It answers, and takes no writes: nobody has confirmed yet who it is. */
  | 'quarantined'
  /** It follows the leader record's master. */
  | 'replica'
  /** The record names us; the lease is not held (yet, or any more): no writes, no VIP. */
  | 'fenced'
  /** The lease is held: writes and VIP are here. */
  | 'master'
  /** Our Redis ended, hangs, or cannot be started. */
  | 'failed'
  /** The agent has let go. */
  | 'stopped';

export type Effect =
  /** Start the process as a replica of nobody: it must not take a write. */
  | { readonly do: 'start-redis' }
  /** Look at the process (at the start, and when it does not answer); answered by `looked`. */
  | { readonly do: 'look' }
  /** End a process that hangs (SIGKILL) so that it can be started anew; answered by `process-ended`. */
  | { readonly do: 'kill-redis'; readonly reason: string }
  /** In order, on one connection; only while it is up. */
  | { readonly do: 'send'; readonly tag: Tag; readonly args: readonly string[] }
  /** Ask a Sentinel for the lease, or give it back (`ttl_ms` 0, `reason` told). Answered unless it is given back. */
  | {
      readonly do: 'ask-lease';
      readonly voter: VoterId;
      readonly ask: number;
      readonly epoch: number;
      readonly ttl_ms: number;
      /** Others may be elected meanwhile: a planned switchover. */
      readonly handOver: boolean;
      /** The vote that it told us with a refusal: a majority has granted since. Null: there is none, or none has. */
      readonly held: number | null;
      /**
       * Of all that is asked between two releases: what is given back is what was granted under the same number. Null: all,
       * of an earlier life, too.
       */
      readonly term: number | null;
      readonly reason: string;
    }
  /** Fresh news of the siblings is wanted: INFO of each, now. Answered by `siblings`. */
  | { readonly do: 'ask-siblings' }
  /**
   * The VIP may be here until then (the core's clock); repeated at each renewal. In pair mode VRRP decides where it is, and
   * this says only that the Redis here is fit for it, `revoke-vip` that it is not.
   */
  | { readonly do: 'grant-vip'; readonly until: number }
  | { readonly do: 'revoke-vip'; readonly reason: string }
  /**
   * Copy the data set to a file of its own before it is discarded; answered by `saved` or `save-failed`. It does not change
   * meanwhile: the Redis follows nobody and takes no writes.
   */
  | { readonly do: 'save-aside'; readonly reason: string }
  /**
   * What must survive a restart of the agent; before any later effect, or, `soon`, in a moment: it tells what our Redis
   * has been seen to be, and whoever looks again sees the same.
   */
  | { readonly do: 'persist'; readonly memory: KeeperMemory; readonly soon: boolean }
  /** The role changed: for status, hooks, history. */
  | { readonly do: 'became'; readonly state: KeeperState; readonly from: KeeperState; readonly reason: string }
  | { readonly do: 'log'; readonly level: 'debug' | 'verbose' | 'notice' | 'warning'; readonly text: string };

/** What the keeper last knew of its Redis. */
export interface KeeperMemory {
  readonly role: 'master' | 'replica' | 'unknown';
  readonly epoch: number;
  readonly replId: string;
  readonly offset: number;
  readonly keys: number;
}
