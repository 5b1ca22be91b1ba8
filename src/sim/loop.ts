/** Virtual time: a queue of what happens when. Nothing here takes real time. */

interface Entry {
  readonly at: number;
  /** Things of one moment happen in the order in which they were planned. */
  readonly order: number;
  readonly run: () => void;
}

/** The event loop: a binary heap by time, then by order of planning. */
export class Loop {
  /** Virtual milliseconds since the run began. */
  now = 0;
  /** How many things have happened. */
  count = 0;
  readonly #heap: Entry[] = [];
  #order = 0;

  /** Plans `run` for a moment; one in the past means now. */
  at(when: number, run: () => void): void {
    this.#push({ at: Math.max(when, this.now), order: this.#order++, run });
  }

  /** Plans `run` for `delay_ms` from now. */
  after(delay_ms: number, run: () => void): void {
    this.at(this.now + delay_ms, run);
  }

  /** Lets everything happen up to and including `end`, or until `stop` says so. */
  runUntil(end: number, stop: () => boolean): void {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > end) break;
      this.#pop();
      this.now = next.at;
      this.count += 1;
      next.run();
      if (stop()) return;
    }
    this.now = Math.max(this.now, end);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !earlier(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      let below = heap[child];
      if (below === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && earlier(right, below)) {
        child += 1;
        below = right;
      }
      if (!earlier(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

function earlier(a: Entry, b: Entry): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}
