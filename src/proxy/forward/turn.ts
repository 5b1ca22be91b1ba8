/**
 * One turn of the event loop: what was read in it is forwarded at its end, with one write for each socket that has
 * something to say. Flushing at the end rather than at once is what makes few and large writes of many small requests.
 */

/** Something with output to flush at the end of a turn. */
export interface Flushable {
  /** @returns true to be asked again at the end of the next turn. */
  flush(): boolean;
}

export class Turn {
  /** When this turn began, in ms on the monotonic clock; read once a turn. */
  now = performance.now();
  #begun = false;
  #dirty: Flushable[] = [];
  #flushing: Flushable[] = [];
  readonly #end = (): void => this.#run();

  /** To be called before the work of any event, e.g. a read. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.now = performance.now();
    setImmediate(this.#end);
  }

  /** Asks for one flush at the end of this turn; the caller sees to it that it asks only once. */
  add(item: Flushable): void {
    this.#dirty.push(item);
    this.begin();
  }

  #run(): void {
    this.#begun = false;
    const items = this.#dirty;
    this.#dirty = this.#flushing;
    this.#flushing = items;
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      if (item?.flush() === true) this.add(item);
    }
    items.length = 0;
  }
}
