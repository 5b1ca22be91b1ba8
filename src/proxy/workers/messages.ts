/** What the process that was started and its workers say to each other. */
import type { Snapshot } from '../measure/snapshot.js';

/** What a worker is told to do. */
export type Order =
  /** Serve what this file says, all of it or nothing. `workers` is how many share its limits. */
  | { readonly kind: 'configure'; readonly file: string; readonly text: string; readonly workers: number }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'log-level'; readonly level: number }
  | { readonly kind: 'reopen-log' }
  | { readonly kind: 'stop' };

/** An order and the number of its answer. */
export interface Letter {
  readonly id: number;
  readonly order: Order;
}

/** A worker's answer to the letter of the same number. */
export interface Answer {
  readonly id: number;
  /** Null when the order was carried out. */
  readonly error: string | null;
  /** Only for 'snapshot'. */
  readonly snapshot: Snapshot | null;
}

/** The number of a worker's first answer, to no letter: it hears orders from now on; earlier ones would be lost. */
export const READY = -1;

/** Set for a process that is started as a worker. */
export const WORKER_MARK = 'TANIST_PROXY_WORKER';
