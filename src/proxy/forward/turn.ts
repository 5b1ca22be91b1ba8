/**
 * One turn of the event loop: what was read in it is forwarded at its end, with one write for each socket that has
 * something to say. Flushing at the end rather than at once is what makes few and large writes of many small requests.
 */

/**
 * What came of a flush: it is done, or is to be asked for again at the end of the next turn: of one that follows at once,
 * or of whatever comes next, be it a millisecond later.
 */
export type Flushed = 'done' | 'again' | 'later';

/** Something with output to flush at the end of a turn. */
export interface Flushable {
  flush(): Flushed;
}

/** How long what is to be flushed later waits for a turn before one is made for its sake. */
const LATER_MS = 1;

export class Turn {
  /** When this turn began, in ms on the monotonic clock; read once a turn. */
  now = performance.now();
  #begun = false;
  #dirty: Flushable[] = [];
  #flushing: Flushable[] = [];
  #later: Flushable[] = [];
  #timer: NodeJS.Timeout | null = null;
  readonly #end = (): void => this.#run();
  readonly #wake = (): void => {
    this.#timer = null;
    if (this.#later.length > 0) this.begin();
  };

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
    for (const item of this.#later) items.push(item);
    this.#later.length = 0;
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      const flushed = item?.flush() ?? 'done';
      if (item === undefined || flushed === 'done') continue;
      if (flushed === 'again') this.add(item);
      else this.#later.push(item);
    }
    items.length = 0;
    if (this.#later.length > 0) this.#timer ??= setTimeout(this.#wake, LATER_MS);
  }
}
