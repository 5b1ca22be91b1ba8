/** Waits for file descriptors or a point in time, whichever comes first, and keeps the thread while it waits. */
import { ppoll } from './libc.js';

const POLLIN = 0x001;
const POLLERR = 0x008;
const POLLHUP = 0x010;
const POLLNVAL = 0x020;
/** A wait has an end even when nothing is due, so that a lost wake-up cannot last. */
const MAX_WAIT_MS = 1000;

export interface Ready {
  readonly readable: boolean;
  /** The other end is closed. */
  readonly hungUp: boolean;
}

export class Poller {
  readonly #timeout = Buffer.alloc(16);
  #fds: number[] = [];
  #set = Buffer.alloc(0);

  /** Replaces the descriptors that are waited for. */
  watch(fds: readonly number[]): void {
    this.#fds = [...fds];
    this.#set = Buffer.alloc(8 * fds.length);
    for (const [i, fd] of fds.entries()) this.#set.writeInt32LE(fd, 8 * i);
  }

  /** Waits for at most `wait_ms`, and tells which descriptors are ready. */
  wait(wait_ms: number): ReadonlyMap<number, Ready> {
    const bounded = Math.max(0, Math.min(wait_ms, MAX_WAIT_MS));
    const seconds = Math.floor(bounded / 1000);
    this.#timeout.writeBigInt64LE(BigInt(seconds), 0);
    this.#timeout.writeBigInt64LE(BigInt(Math.round((bounded - seconds * 1000) * 1e6)), 8);
    for (let i = 0; i < this.#fds.length; i++) {
      this.#set.writeInt16LE(POLLIN, 8 * i + 4);
      this.#set.writeInt16LE(0, 8 * i + 6);
    }
    const ready = new Map<number, Ready>();
    const count = ppoll(this.#set, this.#timeout);
    if (count === null || count === 0) return ready;
    for (const [i, fd] of this.#fds.entries()) {
      const events = this.#set.readInt16LE(8 * i + 6);
      if (events === 0) continue;
      const broken = (events & (POLLERR | POLLNVAL)) !== 0;
      ready.set(fd, { readable: (events & POLLIN) !== 0 || broken, hungUp: (events & POLLHUP) !== 0 });
    }
    return ready;
  }
}
