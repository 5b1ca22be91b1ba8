/** What proxy processes and whoever started them say to each other. Plain data: it travels as JSON. */
import type { NutcrackerConfig } from '../../config/nutcracker-types.js';
import type { AloneSettings } from '../follow/alone.pure.js';
import type { Hold, Route } from '../follow/routes.js';
import type { Snapshot } from '../measure/snapshot.js';

/** What a proxy process is told to do. */
export type Order =
  /** Serve this, all of it or nothing. */
  | {
      readonly kind: 'configure';
      readonly config: NutcrackerConfig;
      /** How many processes share its limits: so many are started, or share the work with this one. */
      readonly workers: number;
      /** Where statistics are served; null for nowhere. */
      readonly stats: { readonly host: string; readonly port: number } | null;
      /** What to do while the agent is away; null for going on as it is. */
      readonly alone: AloneSettings | null;
    }
  | { readonly kind: 'routes'; readonly routes: readonly Route[] }
  | { readonly kind: 'hold'; readonly hold: Hold }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'log-level'; readonly level: number }
  | { readonly kind: 'reopen-log' }
  /** Say every open door, and let the parent have its handle: {@link Opened}. */
  | { readonly kind: 'show-doors' }
  /** Start this program as the next proxy, and let it have the open doors. */
  | { readonly kind: 'succeed'; readonly program: string; readonly execPath: string }
  /** Take no new clients. */
  | { readonly kind: 'close-doors' }
  /** Take no new clients, answer what is under way, and end after so long at the latest. */
  | { readonly kind: 'stop'; readonly drain_ms: number };

/** What requests under way may take when the proxy of an agent is ended, if nobody says otherwise. */
export const DRAIN_MS = 5_000;
/** What such a proxy may take beyond that until it has ended by itself. */
export const END_MS = 3_000;

/** An order and the number of its answer. */
export interface Letter {
  readonly id: number;
  readonly order: Order;
}

/** What an order is answered with, beside that it was carried out. */
export interface Result {
  /** Only for 'snapshot'. */
  readonly snapshot?: Snapshot | null;
  /** Only for 'succeed': the pid of the next proxy. */
  readonly successor?: number;
  /** Only for {@link READY}, and only to an agent. */
  readonly identity?: Identity;
}

/** The answer to the letter of the same number. */
export interface Answer {
  readonly id: number;
  /** Null when the order was carried out. */
  readonly error: string | null;
  readonly result: Result;
}

/** What a proxy says of itself to the agent that finds it. */
export interface Identity {
  /** Of its program's files. */
  readonly build: string;
  /** How many processes share its work; null before it has been configured. */
  readonly workers: number | null;
  readonly routes: readonly Route[];
}

/** Said without having been asked: the master of a group does not answer as one. */
export interface Doubt {
  readonly doubt: string;
  readonly reason: string;
}

/** A line for the log. */
export interface LogLine {
  /** As sd-daemon(3) counts. */
  readonly level: number;
  readonly line: string;
}

/** Comes with the handle of a door that is open: its name. */
export interface Opened {
  readonly door: string;
}

export type Said = Answer | Doubt | LogLine | Opened;

/** The number of a process's first answer, to no letter: it hears orders from now on; earlier ones would be lost. */
export const READY = -1;

/** Set for a process that is started as a worker. */
export const WORKER_MARK = 'TANIST_PROXY_WORKER';
