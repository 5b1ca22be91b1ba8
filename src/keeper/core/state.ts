/** The keeper's state: what it knows of its Redis, of the voters and of the siblings. Only this folder changes it. */
import type { Prng } from '../../base/prng.js';
import type { Durability } from '../../config/tanist/model.js';
import type { KeeperMemory, KeeperState, LeaderRecord, Place, ProcessLook, Sibling, VoterId } from './io.js';
import type { OwnInfo } from './own-info.js';

/** A moment before all others. */
export const NEVER = Number.NEGATIVE_INFINITY;
export const FOREVER = Number.POSITIVE_INFINITY;

/** What is configured; it does not change. */
export interface KeeperSettings {
  readonly group: string;
  /** Our Redis, as leader records name it. */
  readonly self: Place;
  /** `pair`: VRRP gives the permission to lead, and there is no lease. */
  readonly mode: 'quorum' | 'pair';
  /** All who may grant the lease, ourselves included, in the order of the file. */
  readonly voters: readonly VoterId[];
  /** The group's other Redis processes. */
  readonly siblings: readonly Place[];
  /** Null: no lease is asked for; the record alone decides, as with redis-sentinel. */
  readonly ttl_ms: number | null;
  readonly durability: Durability;
  readonly hangAfter_ms: number;
  readonly busyLimit_ms: number;
  /** Started by others: never started or ended by us. */
  readonly attach: boolean;
}

/** The process behind our Redis, as far as we are told. */
export type Process =
  /** Not looked for yet. */
  | { readonly phase: 'unknown' }
  | { readonly phase: 'starting'; readonly since: number }
  /** `pid` is null while it is not known, as of an attached one. */
  | { readonly phase: 'running'; readonly since: number; readonly pid: number | null }
  /** Nobody listens any more; its end has not been told yet, or, of an attached one, never will be. */
  | { readonly phase: 'leaving'; readonly how: string }
  | { readonly phase: 'ended'; readonly how: string; readonly restartAt: number };

export interface Redis {
  process: Process;
  /** Ends in a row. */
  restarts: number;
  link: 'never' | 'up' | 'down';
  linkSince: number;
  linkTrouble: string;
  /** The trouble is our login: it does not mend itself. */
  loginRefused: boolean;
  /** The last reply that shows it alive. */
  heardAt: number;
  pingSentAt: number | null;
  pingAt: number;
  /** It answered that it is busy with a script: since when. */
  busySince: number | null;
  /** It answers that it takes no writes, since it cannot write to its disk. */
  misconf: Misconf | null;
  infoSentAt: number | null;
  /** When INFO was last asked for, and after how many orders. */
  infoAt: number;
  infoOrders: number;
  info: OwnInfo | null;
  look: ProcessLook | null;
  lookAt: number;
  /** A look is awaited since then. */
  lookSentAt: number | null;
  killedAt: number;
}

/** Redis refuses writes of its own accord. */
export interface Misconf {
  since: number;
  readonly words: string;
  /** Another is to lead for that reason: ours does not ask for the lease again while it lasts. */
  yielded: boolean;
}

/** Writes that we paused. */
export interface Pause {
  sentAt: number;
  /** Orders that Redis has not answered. */
  owed: number;
  /** Redis has confirmed it. */
  confirmed: boolean;
  /** Redis refused it, in these words. */
  refused: string | null;
  /** It is to be lifted; since when the order is under way. */
  liftedAt: number | null;
}

/** REPLICAOF, until INFO shows that it has worked. */
export interface Order {
  /** Null: nobody, a promotion. */
  readonly target: Place | null;
  readonly firstAt: number;
  sentAt: number;
  tries: number;
  retryAt: number;
  /** Redis has said that it is done. */
  answered: boolean;
  /** Refused, in these words. */
  refused: string | null;
}

export interface Ask {
  readonly id: number;
  readonly sentAt: number;
  readonly epoch: number;
  readonly handOver: boolean;
}

/** One who may grant the lease. */
export interface Voter {
  readonly id: VoterId;
  /** Asked and not answered, the oldest first. */
  asks: Ask[];
  nextAskAt: number;
  /** Its grant counts until then. */
  validUntil: number;
  /** It may hold a grant of ours until then, counted or not: a later refusal does not take back what it granted before. */
  boundUntil: number;
  /** That grant lets it vote for another. */
  consents: boolean;
  /** What its last answer said. */
  said: string;
  /** When the last ask that it answered was sent. */
  answeredAskAt: number;
  /** Its leader record. */
  record: LeaderRecord | null;
  /** It elects nobody in the place of that record's master until then. */
  masterLeasedUntil: number;
  /** As it told with its last answer: the vote that keeps it from granting, unless a majority grants without it. */
  vote: number | null;
}

export interface Lease {
  /** In the order of the settings. */
  readonly voters: readonly Voter[];
  nextAsk: number;
  /** Why we ask, since when; null while we do not. */
  wanted: { readonly why: 'lead' | 'confirm'; readonly since: number } | null;
  /** To be given back as soon as Redis is known to take no writes. */
  giveBack: string | null;
  /** The reason with which it was given back last, until it is wanted again. */
  givenBack: string | null;
  /** Another one after each release: one that is late must not take back what has been granted since. */
  term: number;
}

export type Saving =
  | { readonly is: 'none' }
  | { readonly is: 'running'; readonly of: string; readonly until: number; readonly tries: number }
  | { readonly is: 'saved'; readonly of: string; readonly path: string }
  | {
      readonly is: 'failed';
      readonly of: string;
      readonly why: string;
      readonly tries: number;
      readonly retryAt: number;
    };

/** News of a sibling; `at` is when it was true. */
export interface SiblingNews extends Sibling {
  readonly at: number;
}

export interface Keeper {
  readonly settings: KeeperSettings;
  readonly prng: Prng;
  state: KeeperState;
  /** Why it is in that state, and since when. */
  reason: string;
  since: number;
  readonly redis: Redis;
  readonly lease: Lease;
  /** What the Sentinel on this host told last. */
  localRecord: LeaderRecord | null;
  /** The record in force. */
  record: LeaderRecord | null;
  recordSince: number;
  /** Whom the record named before. */
  formerMaster: Place | null;
  /** Answers to asks sent before this do not confirm who leads: our Redis has restarted since. */
  confirmFrom: number;
  confirmed: boolean;
  /** When the keeper itself ran again after it had not been run for a while. */
  awakeSince: number;
  /** Maintenance. */
  paused: boolean;
  pair: { state: 'master' | 'backup' | 'fault'; since: number; clear: string | null } | null;
  siblings: readonly SiblingNews[];
  /** News is waited for since then, and was last asked for then. */
  newsWantedSince: number | null;
  newsAskedAt: number;
  /** A change of our Redis is waited for since then. */
  watchSince: number | null;
  pause: Pause | null;
  /** Our Redis is a master that may not lead: since when. For too long, and it is demoted. */
  heldBackSince: number | null;
  order: Order | null;
  /** Orders given that change a role: INFO that was asked for before the last one does not tell the role. */
  orders: number;
  /** The run id of the process that led, or leads, by our hand: it need not prove its data again. */
  ledRunId: string | null;
  /** The run id of the process that has had all of its master's data: it may be chosen although it lags. */
  syncedRunId: string | null;
  /** It turned master without us, or replica: since then. */
  strayedSince: number | null;
  /** It follows one whom the record does not name: since then. */
  astraySince: number | null;
  saving: Saving;
  handOver: { readonly until: number } | null;
  /** The agent ends: by then the keeper has let go. */
  stopBy: number | null;
  /** Granted until then; null: revoked. */
  vipUntil: number | null;
  vipGrantedAt: number;
  vipHeld: boolean;
  vipRevokedAt: number;
  limits: { minReplicas: number | null; refused: string | null; wellSince: number | null };
  memory: KeeperMemory;
  /** What was last written down, and when. */
  persisted: KeeperMemory;
  persistedAt: number;
  /** When `step` wants to be called again. */
  dueAt: number;
}

/** What a keeper remembers that has never kept a Redis. */
export const NO_MEMORY: KeeperMemory = { role: 'unknown', epoch: 0, replId: '', offset: 0, keys: 0 };

export function samePlace(a: Place | null, b: Place | null): boolean {
  if (a === null || b === null) return a === b;
  return a.host === b.host && a.port === b.port;
}

export function sameRecord(a: LeaderRecord | null, b: LeaderRecord | null): boolean {
  if (a === null || b === null) return a === b;
  return a.epoch === b.epoch && samePlace(a.master, b.master);
}
