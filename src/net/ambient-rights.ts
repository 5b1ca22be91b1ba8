/**
 * Ambient capabilities (capabilities(7)): what a program started by an unprivileged process is allowed beyond its user.
 * Everything that a process starts has its ambient ones, so a service that was given them for one of its children gives
 * them to all, unless it takes them back for the time between.
 */
import { hasAmbient, raiseAmbient, withdrawAllAmbient } from './libc.js';

/** Sending and hearing what is not TCP or UDP, e.g. ICMP. */
export const CAP_NET_RAW = 13;
/** Beyond every capability that a kernel knows. */
const CAPABILITIES_MAX = 64;

export class AmbientRights {
  readonly #rights: readonly number[];

  /** Takes them from this thread, and so from all that it starts; what it may do itself stays. @throws {SystemError} */
  constructor() {
    this.#rights = Array.from({ length: CAPABILITIES_MAX }, (_, i) => i).filter(hasAmbient);
    if (this.#rights.length > 0) withdrawAllAmbient();
  }

  /** What `start` starts, has them again: all, or of these `only` those that there were. @throws {SystemError} */
  lend<T>(start: () => T, only: readonly number[] = this.#rights): T {
    const lent = this.#rights.filter((capability) => only.includes(capability));
    if (lent.length === 0) return start();
    for (const capability of lent) raiseAmbient(capability);
    try {
      return start();
    } finally {
      withdrawAllAmbient();
    }
  }
}
