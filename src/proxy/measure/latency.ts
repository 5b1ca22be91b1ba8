/**
 * How long requests took, by command: counts in buckets whose bounds are powers of two of a microsecond. Noting one is
 * two additions in typed arrays.
 */

/** Bucket b counts what took less than 2^b us and not less than half of that; the last one also what took longer. */
export const BUCKETS = 32;
const LONGEST_us = 2 ** (BUCKETS - 1) - 1;

/** What is known of one command. */
export interface CommandLatency {
  readonly name: string;
  readonly sum_us: number;
  /** By bucket. */
  readonly counts: readonly number[];
}

export class LatencyTable {
  readonly #names: readonly string[];
  readonly #counts: Float64Array;
  readonly #sums_us: Float64Array;

  /** @param names of the commands, by their number. */
  constructor(names: readonly string[]) {
    this.#names = names;
    this.#counts = new Float64Array(names.length * BUCKETS);
    this.#sums_us = new Float64Array(names.length);
  }

  /** Counts one request of this command. */
  note(command: number, took_ms: number): void {
    const us = Math.min(took_ms * 1000, LONGEST_us) | 0;
    const i = command * BUCKETS + 32 - Math.clz32(us);
    this.#counts[i] = (this.#counts[i] as number) + 1;
    this.#sums_us[command] = (this.#sums_us[command] as number) + us;
  }

  /** The commands of which there has been at least one request. */
  used(): CommandLatency[] {
    const all = this.#names.map((name, command) => ({
      name,
      sum_us: this.#sums_us[command] ?? 0,
      counts: [...this.#counts.subarray(command * BUCKETS, (command + 1) * BUCKETS)],
    }));
    return all.filter(({ counts }) => counts.some((count) => count > 0));
  }
}

/** How many requests these buckets count. */
export function countOf({ counts }: CommandLatency): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * The time that this share of requests (0 to 1) did not exceed, in us: exact to its bucket, and inside it by taking the
 * requests for evenly spread. 0 without requests.
 */
export function percentile_us(latency: CommandLatency, share: number): number {
  const wanted = countOf(latency) * share;
  let below = 0;
  for (const [bucket, count] of latency.counts.entries()) {
    if (count > 0 && below + count >= wanted) {
      const low = bucket === 0 ? 0 : 2 ** (bucket - 1);
      return low + ((2 ** bucket - low) * (wanted - below)) / count;
    }
    below += count;
  }
  return 0;
}
