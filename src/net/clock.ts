/**
 * The clock that also counts while the host is suspended. CLOCK_MONOTONIC, which Node's clocks read, stands still then;
 * a loan of a cluster's does not. (A hypervisor that pauses a guest may stop both; nothing inside can tell.)
 */
import { clockGettime } from './libc.js';

const CLOCK_BOOTTIME = 7;
const time = new Uint8Array(16);
const view = new DataView(time.buffer);

/** CLOCK_BOOTTIME in microseconds: the same for every process of the host. */
export function bootTime_us(): number {
  clockGettime(CLOCK_BOOTTIME, time);
  return Number(view.getBigInt64(0, true)) * 1e6 + Number(view.getBigInt64(8, true)) / 1e3;
}

/** The same in milliseconds: what a lease is counted by, since the others' patience does not sleep with this host. */
export function bootTime_ms(): number {
  return bootTime_us() / 1_000;
}

/**
 * When a time of CLOCK_MONOTONIC comes, as CLOCK_BOOTTIME has it if the host does not sleep until then.
 * @param monotonic_ns as `process.hrtime.bigint()` gives it
 */
export function toBootTime_us(monotonic_ns: bigint): number {
  return Math.floor(bootTime_us() + Number(monotonic_ns - process.hrtime.bigint()) / 1e3);
}

/** Readings that were interrupted for longer tell nothing. */
const READING_MAX_MS = 1;
/** Less is the clocks' own unrest. */
const SLEEP_MIN_MS = 5;

export interface Clocks {
  readonly monotonic_ms: () => number;
  readonly boot_us: () => number;
}

const HOST: Clocks = { monotonic_ms: () => performance.now(), boot_us: bootTime_us };

/** Tells when the host was suspended, by the clock that stood still and the one that did not. */
export class SleepMeter {
  readonly #clocks: Clocks;
  #ahead_ms: number | null = null;

  constructor(clocks: Clocks = HOST) {
    this.#clocks = clocks;
    this.slept_ms();
  }

  /** How long the host slept since the last call; 0 when it did not, or when that cannot be told right now. */
  slept_ms(): number {
    const before = this.#clocks.monotonic_ms();
    const boot_ms = this.#clocks.boot_us() / 1000;
    const after = this.#clocks.monotonic_ms();
    if (after - before > READING_MAX_MS) return 0;
    const ahead = boot_ms - (before + after) / 2;
    const slept = this.#ahead_ms === null ? 0 : ahead - this.#ahead_ms;
    this.#ahead_ms = ahead;
    return slept >= SLEEP_MIN_MS ? slept : 0;
  }
}
