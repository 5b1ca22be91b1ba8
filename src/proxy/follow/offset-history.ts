/**
 * How old what a replica has is, by the offsets that its master tells now and then: a replica that has acknowledged what
 * the master had written at some moment has everything from before that moment. Pure.
 */
export class OffsetHistory {
  readonly #keep_ms: number;
  #samples: { readonly at_ms: number; readonly offset: number }[] = [];

  /** @param keep_ms how far back it is to be known. */
  constructor(keep_ms: number) {
    this.#keep_ms = keep_ms;
  }

  /** At this moment the master had written no more than this. */
  note(at_ms: number, offset: number): void {
    const last = this.#samples.at(-1);
    // A lower offset is another history: a master that was restarted, or another one.
    if (last !== undefined && offset < last.offset) this.#samples = [];
    this.#samples.push({ at_ms, offset });
    this.#samples = this.#samples.filter((sample) => sample.at_ms >= at_ms - this.#keep_ms);
  }

  /** Who has everything up to this offset has all that was written before this moment; -Infinity when that is too long ago. */
  asOf_ms(offset: number): number {
    const newest = this.#samples.findLast((sample) => sample.offset <= offset);
    return newest?.at_ms ?? Number.NEGATIVE_INFINITY;
  }

  clear(): void {
    this.#samples = [];
  }
}
