/** The requests of a pool that took long, the newest first, as Redis's SLOWLOG keeps them. */

/** As many words of a request are kept as Redis keeps, and as much of each. */
const WORDS_MAX = 32;
const WORD_MAX_BYTES = 128;
/** Of a request's bytes, what is enough for those words. */
export const SLOW_REQUEST_BYTES = WORDS_MAX * (WORD_MAX_BYTES + 16);

/** In so much time, no more are described than are kept, or than this. */
const DESCRIBED_MIN = 128;
const WINDOW_MS = 100;

export interface SlowRequest {
  /** Rises by one with every slow request of the pool. */
  readonly id: number;
  /** Unix time. */
  readonly at_s: number;
  readonly took_us: number;
  readonly words: readonly Buffer[];
  /** `host:port` of the client; empty when it is gone or uses a unix socket. */
  readonly client: string;
}

export class SlowLog {
  #entries: SlowRequest[] = [];
  #next = 0;
  #since_ms = Number.NEGATIVE_INFINITY;
  #described = 0;

  /** How many there have been, including those that are no longer kept. */
  get total(): number {
    return this.#next;
  }

  get length(): number {
    return this.#entries.length;
  }

  /**
   * Whether one that has ended now is to be described. When nearly all are slow, describing each would make them slower:
   * of more than are kept, at a time, the rest is only counted.
   * @param max as many as are kept.
   */
  describes(now_ms: number, max: number): boolean {
    if (now_ms - this.#since_ms >= WINDOW_MS) {
      this.#since_ms = now_ms;
      this.#described = 0;
    }
    this.#described++;
    if (this.#described <= Math.max(max, DESCRIBED_MIN)) return true;
    this.#next++;
    return false;
  }

  /** Adds one, and keeps `max` at most. */
  add(request: Omit<SlowRequest, 'id'>, max: number): void {
    this.#entries.unshift({ id: this.#next++, ...request });
    if (this.#entries.length > max) this.#entries.length = max;
  }

  /** The newest `count`. */
  newest(count: number): readonly SlowRequest[] {
    return this.#entries.slice(0, count);
  }

  /** Forgets all; numbers go on. */
  reset(): void {
    this.#entries = [];
  }
}

/**
 * The words of a request of which only the beginning may be at hand; what is left out is said at the end, in Redis's
 * words.
 */
export function wordsOf(bytes: Buffer): Buffer[] {
  const count = /^\*(\d+)\r\n/.exec(bytes.toString('latin1', 0, 16));
  if (count === null) return [cut(lineOf(bytes))];
  const words: Buffer[] = [];
  const total = Number(count[1]);
  const shown = total > WORDS_MAX ? WORDS_MAX - 1 : total;
  let at = count[0].length;
  while (words.length < shown) {
    const header = /^\$(\d+)\r\n/.exec(bytes.toString('latin1', at, at + 16));
    if (header === null) break;
    const start = at + header[0].length;
    const size = Number(header[1]);
    words.push(cut(bytes.subarray(start, start + size), size));
    at = start + size + 2;
  }
  if (words.length < total) words.push(Buffer.from(`... (${total - words.length} more arguments)`));
  return words;
}

/** A request of words, e.g. memcached's: its first line. */
function lineOf(bytes: Buffer): Buffer {
  const end = bytes.indexOf('\r\n');
  return end === -1 ? bytes : bytes.subarray(0, end);
}

/** A copy of a word that is `size` bytes long, shortened if it is long or not all here. */
function cut(word: Buffer, size = word.length): Buffer {
  const shown = Math.min(word.length, WORD_MAX_BYTES);
  const rest = size > shown ? `... (${size - shown} more bytes)` : '';
  return Buffer.concat([word.subarray(0, shown), Buffer.from(rest)]);
}
