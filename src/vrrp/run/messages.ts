/** What the supervisor and the router process say to each other: one JSON object a line. */
import type { RouterConfig } from '../core/config.js';
import type { Effect, TrackStatus } from '../core/io.js';
import type { InstanceSnapshot } from '../core/snapshot.js';

export type ToRouter =
  | { readonly say: 'configure'; readonly config: RouterConfig }
  | { readonly say: 'start' }
  | {
      readonly say: 'track';
      readonly id: string;
      readonly status: TrackStatus;
      readonly value: number;
      /** Counts as down from then on: microseconds of CLOCK_BOOTTIME, which both processes read and sleep does not stop. */
      readonly until_us?: number;
      /** Why it is down. */
      readonly reason?: string;
    }
  | { readonly say: 'snapshot'; readonly id: number }
  | { readonly say: 'stop' };

/** The effects that are for the supervisor; the others concern the kernel and stay in the router process. */
export type Report = Extract<Effect, { do: 'notify' | 'lower-heard' | 'priority' | 'log' }>;

export type FromRouter =
  | { readonly say: 'report'; readonly report: Report }
  | {
      readonly say: 'snapshot';
      readonly id: number;
      readonly instances: readonly InstanceSnapshot[];
      readonly process: RouterHealth;
    }
  /** Whether all addresses of an instance are on this host's interfaces; told at the start and at each change. */
  | { readonly say: 'held'; readonly instance: string; readonly held: boolean }
  | { readonly say: 'stopped' };

/** How the router process itself is doing. */
export interface RouterHealth {
  readonly pid: number;
  readonly realtime: boolean;
  /** The longest that a due timer had to wait, since the last snapshot (ms). */
  readonly latest_ms: number;
  readonly rss_bytes: number;
}

/** A line no peer of ours would send; whoever sent it is not our process. */
export const MAX_LINE_BYTES = 4 << 20;

/** Cuts a stream into lines, however it is split. */
export class LineCutter {
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** The complete lines that end in `chunk`. @throws {RangeError} when a line is longer than MAX_LINE_BYTES. */
  push(chunk: Uint8Array): string[] {
    const parts = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = parts.pop() ?? '';
    if (this.#rest.length > MAX_LINE_BYTES) throw new RangeError('a control message is too long');
    return parts.filter((line) => line !== '');
  }
}
