/** Watches who leads, by this host's Sentinel, and tells each change once. */
import type { LeaderRecord } from '../keeper/core/io.js';
import { isSteppingDown } from '../sentinel/core/lease.js';
import type { Sentinel } from '../sentinel/core/state.js';
import { recordOf } from '../sentinel/embedded/picture.js';

export interface RecordChange {
  readonly group: string;
  readonly record: LeaderRecord;
  readonly paused: boolean;
  /** Null at the start. */
  readonly before: LeaderRecord | null;
  /** The keeper of the old master had consented to the election of this epoch, as far as this host's Sentinel has heard. */
  readonly planned: boolean;
}

/** Requests wait this long for the new master; then the old one, which has kept its place, is asked again. */
const HOLD_MS = 1_000;

/** The proxies are to hold a group's requests. */
export interface HandOverNews {
  readonly group: string;
  readonly for_ms: number;
  readonly reason: string;
}

export class RecordWatch {
  readonly #handingOver = new Set<string>();
  /** By group, the epoch of the last election that was planned: the lease is given back before some hear who has won it. */
  readonly #planned = new Map<string, number>();
  readonly #granted = new Set<string>();
  readonly #known = new Map<string, { readonly record: LeaderRecord; readonly paused: boolean }>();

  /** What has changed since the last look. Called after every step of the Sentinel: cheap when nothing has. */
  look(s: Sentinel): readonly RecordChange[] {
    const changes: RecordChange[] = [];
    for (const group of s.groups.values()) {
      const { epoch, host, port } = recordOf(s, group);
      const known = this.#known.get(group.name);
      if (known !== undefined && known.paused === group.paused && isSame(known.record, epoch, host, port)) continue;
      const record = { epoch, master: { host, port } };
      this.#known.set(group.name, { record, paused: group.paused });
      const planned = this.#planned.get(group.name) === epoch;
      changes.push({ group: group.name, record, paused: group.paused, before: known?.record ?? null, planned });
    }
    return changes;
  }

  /** Planned changes of master that are about to pause the old one, since the last look: an election has been won. */
  handOvers(s: Sentinel): readonly HandOverNews[] {
    const news: HandOverNews[] = [];
    for (const group of s.groups.values()) {
      const begun = isSteppingDown(group, s.myId);
      if (begun && !this.#handingOver.has(group.name)) {
        news.push({ group: group.name, for_ms: HOLD_MS, reason: 'a planned switchover has begun' });
      }
      if (begun) {
        this.#handingOver.add(group.name);
        this.#planned.set(group.name, group.failover?.epoch ?? group.leaderEpoch);
      } else this.#handingOver.delete(group.name);
    }
    return news;
  }

  /** Groups whose lease was given back since the last look, so that another may ask for it. */
  leasesFreed(s: Sentinel): readonly string[] {
    const freed: string[] = [];
    for (const group of s.groups.values()) {
      const { grant } = group.lease;
      if (grant !== null) this.#granted.add(group.name);
      else if (this.#granted.delete(group.name)) freed.push(group.name);
    }
    return freed;
  }

  /** Who leads a group, as of the last look. */
  of(group: string): LeaderRecord | null {
    return this.#known.get(group)?.record ?? null;
  }
}

function isSame({ epoch, master }: LeaderRecord, newEpoch: number, host: string, port: number): boolean {
  return epoch === newEpoch && master.port === port && master.host === host;
}
