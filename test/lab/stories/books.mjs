/**
 * The plain client's books: which numbered writes were acknowledged, and when none was. Pure; every time is
 * CLOCK_MONOTONIC in ms, which all processes of a machine share.
 */

/** Shorter times without an accepted write are not listed. */
export const GAP_MIN_MS = 10;
/** A list of gaps that grew without end would be a fault of the client's, not of what it measures. */
const GAPS_MAX = 20_000;

/** @typedef {{ from: number, to: number }} Gap */

export class Books {
  /** When number n was acknowledged. @type {number[]} */
  acknowledgedAt = [];
  /** Times between two accepted writes, of at least GAP_MIN_MS. @type {Gap[]} */
  gaps = [];
  /** Error replies by their first word. @type {Record<string, number>} */
  errors = {};
  /** Writes whose reply did not come before the deadline; their connection is given up. */
  late = 0;
  /** Connections that ended under a client that had one, those it gave up among them. */
  connectionsLost = 0;
  /** Attempts to connect that failed. */
  refused = 0;
  #lastAt;

  /** @param {number} now */
  constructor(now) {
    this.#lastAt = now;
  }

  /** The number to be written, again and again until it is acknowledged. */
  get next() {
    return this.acknowledgedAt.length;
  }

  get lastAt() {
    return this.#lastAt;
  }

  /** @param {number} now */
  acknowledge(now) {
    if (now - this.#lastAt >= GAP_MIN_MS && this.gaps.length < GAPS_MAX)
      this.gaps.push({ from: this.#lastAt, to: now });
    this.#lastAt = now;
    this.acknowledgedAt.push(now);
  }

  /** @param {string} reply an error reply without its leading `-` */
  fail(reply) {
    const word = reply.split(' ', 1)[0] ?? '';
    this.errors[word] = (this.errors[word] ?? 0) + 1;
  }

  /** The gap under way counts too. @param {number} now @returns {Gap[]} */
  gapsUntil(now) {
    return now - this.#lastAt >= GAP_MIN_MS ? [...this.gaps, { from: this.#lastAt, to: now }] : this.gaps;
  }
}
