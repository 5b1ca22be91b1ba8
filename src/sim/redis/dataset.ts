/** What a Redis holds: its writes, and where it stands in which replication history. */
import type { Prng } from '../../base/prng.js';
import type { Write } from '../message.js';

export class Dataset {
  writes: Write[] = [];
  offset = 0;
  replid: string;
  /** The history that it continues, up to `secondOffset`; empty when none. */
  replid2 = '';
  secondOffset = -1;
  /** Only from here on can a replica be given what it lacks. */
  #backlogFrom = 0;

  constructor(private readonly prng: Prng) {
    this.replid = newReplid(prng);
  }

  /** A promoted replica begins a history of its own; replicas of the old one may go on with it up to here. */
  branch(): void {
    this.replid2 = this.replid;
    this.secondOffset = this.offset;
    this.replid = newReplid(this.prng);
  }

  /** As after a restart: the data may have survived, the backlog has not. */
  restart(kept: boolean): void {
    if (!kept) this.writes = [];
    this.replid = newReplid(this.prng);
    this.replid2 = '';
    this.secondOffset = -1;
    if (!kept) this.offset = 0;
    this.#backlogFrom = this.offset;
  }

  /**
   * As after a restart with this on its disk. `history` is what a dump tells; an append-only file tells none, and a new
   * one begins.
   */
  reload(writes: readonly Write[], history: { readonly replid: string; readonly offset: number } | null): void {
    this.writes = history === null ? writes.map(({ id }) => ({ id, end: 0 })) : [...writes];
    this.replid = history?.replid ?? newReplid(this.prng);
    this.offset = history?.offset ?? 0;
    this.replid2 = '';
    this.secondOffset = -1;
    this.#backlogFrom = this.offset;
  }

  append(id: number, length_bytes: number): Write {
    this.offset += length_bytes;
    const write = { id, end: this.offset };
    this.writes.push(write);
    return write;
  }

  /** Whether a replica at that place of that history can be given the rest alone. */
  canContinue(replid: string, offset: number): boolean {
    if (offset < this.#backlogFrom || offset > this.offset) return false;
    return replid === this.replid || (replid === this.replid2 && offset <= this.secondOffset);
  }

  writesAfter(offset: number): Write[] {
    let from = this.writes.length;
    while (from > 0 && (this.writes[from - 1]?.end ?? 0) > offset) from -= 1;
    return this.writes.slice(from);
  }

  /** Replaces all by what a master sent. */
  replace(replid: string, offset: number, writes: readonly Write[]): void {
    this.writes = [...writes];
    this.offset = offset;
    this.replid = replid;
    this.replid2 = '';
    this.secondOffset = -1;
    this.#backlogFrom = offset;
  }

  /** Goes on in a history that may have got a new id since. */
  proceed(replid: string, offset: number, writes: readonly Write[]): void {
    if (replid !== this.replid) {
      this.replid2 = this.replid;
      this.secondOffset = this.offset;
      this.replid = replid;
    }
    for (const write of writes) this.writes.push(write);
    this.offset = offset;
  }
}

function newReplid(prng: Prng): string {
  return hex40(prng);
}

/** 40 hexadecimal digits. */
export function hex40(prng: Prng): string {
  let text = '';
  for (let i = 0; i < 5; i++) text += prng.uint32().toString(16).padStart(8, '0');
  return text;
}
