/** Whose data holds whose: replication ids, offsets, keys. */
import { placeName } from '../../base/place.js';
import type { Place } from './io.js';
import { type Keeper, type SiblingNews, samePlace } from './state.js';

/** A point in a history of writes, with the older history that it grew from. */
export interface Position {
  readonly replId: string;
  readonly replId2: string;
  /** Of `replId2`, the first offset that is not shared any more (Redis's second_repl_offset); -1 for none. */
  readonly secondOffset: number;
  readonly offset: number;
}

/**
 * How one data set relates to another:
 * `behind`, `same`, `ahead`: one holds all of the other; `forked-off`: the other took over before it had all of ours;
 * `forked-from`: we took over before we had all of theirs; `unrelated`: no common history is known.
 */
export type Relation = 'behind' | 'same' | 'ahead' | 'forked-off' | 'forked-from' | 'unrelated';

export function relate(own: Position, other: Position): Relation {
  if (isId(own.replId) && own.replId === other.replId) {
    if (own.offset === other.offset) return 'same';
    return own.offset < other.offset ? 'behind' : 'ahead';
  }
  if (isId(own.replId) && own.replId === other.replId2) {
    if (own.offset >= other.secondOffset) return 'forked-off';
    return own.offset === other.offset ? 'same' : 'behind';
  }
  if (isId(other.replId) && other.replId === own.replId2) {
    if (other.offset >= own.secondOffset) return 'forked-from';
    return own.offset === other.offset ? 'same' : 'ahead';
  }
  return 'unrelated';
}

/** Redis writes zeros for a history that does not exist. */
function isId(replId: string): boolean {
  return replId !== '' && !/^0+$/.test(replId);
}

export function newsOf(k: Keeper, place: Place): SiblingNews | null {
  return k.siblings.find((sibling) => samePlace(sibling.place, place)) ?? null;
}

/** Whether our data may be replaced by another's. */
export type Discard =
  /** Nothing is lost by it. */
  | { readonly is: 'harmless' }
  /** Something is that the other does not have: it must be saved before. */
  | { readonly is: 'loss'; readonly reason: string }
  /** Fresher news of the other is needed to tell. */
  | { readonly is: 'unknown'; readonly reason: string };

/** What would be lost if our Redis took over the data of `master`. It must not be taking writes now. */
export function judgeDiscard(k: Keeper, master: SiblingNews): Discard {
  const { info } = k.redis;
  if (info === null) return { is: 'unknown', reason: 'INFO of our own Redis is not known' };
  if (info.keys === 0) return { is: 'harmless' };
  const relation = relate(info, master);
  if (relation === 'behind' || relation === 'same') return { is: 'harmless' };
  // The other's offset has grown since it was told of.
  if (master.at < info.askedAt && relation !== 'forked-off') {
    return { is: 'unknown', reason: `news of ${placeName(master.place)} is older than what it is compared with` };
  }
  if (relation === 'unrelated' && wasReplicaOf(k, master)) return { is: 'harmless' };
  return { is: 'loss', reason: describeLoss(k, master, relation) };
}

/**
 * A Redis that reads its data from an append-only file begins a new history. What was written down of it before tells
 * which one it was in: as a replica, which never took writes of its own, it has no more of that than the master of it. One
 * that has taken over since may lack what came after the last note.
 */
function wasReplicaOf({ memory }: Keeper, master: SiblingNews): boolean {
  return memory.role === 'replica' && isId(memory.replId) && master.replId === memory.replId;
}

function describeLoss({ redis: { info } }: Keeper, master: SiblingNews, relation: Relation): string {
  if (info === null) return '';
  const ours = `${info.keys} keys at ${shortId(info.replId)}:${info.offset}`;
  const name = placeName(master.place);
  switch (relation) {
    case 'forked-off':
      return `ours (${ours}) goes beyond ${master.secondOffset - 1}, where ${name} took over`;
    case 'ahead':
      return `ours (${ours}) is ahead of ${name}, which is at ${master.offset}`;
    default:
      return `ours (${ours}) has no history in common with ${name} (${shortId(master.replId)}:${master.offset})`;
  }
}

/** Enough of a replication id to tell it from others. */
export function shortId(replId: string): string {
  return replId === '' ? '?' : replId.slice(0, 8);
}
