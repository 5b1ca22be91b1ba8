/**
 * When did two take writes at the same time? A probe that succeeded proves that its Redis took a write some time between
 * its request and its reply. Two successes in a row, shortly after each other, prove it for the time between them. Pure.
 */

/** Two successes further apart than this prove nothing about the time between them. */
const CONTINUOUS_MS = 50;

/**
 * @typedef {{ sent: number, received: number }} Probe
 * @typedef {{ samples: number, from: number | null, to: number | null }} Overlap `from` and `to`: first and last moment
 */

/**
 * Counts the probes of each that lie between two successive ones of another.
 * @param {readonly (readonly Probe[])[]} all successful probes, one list for each who may take writes, in order of time
 * @returns {Overlap}
 */
export function overlap(all) {
  /** @type {number[]} */
  const moments = [];
  for (const [i, one] of all.entries()) {
    for (const other of all.slice(i + 1)) moments.push(...between(one, other));
  }
  if (moments.length === 0) return { samples: 0, from: null, to: null };
  moments.sort((a, b) => a - b);
  return { samples: moments.length, from: moments[0] ?? null, to: moments.at(-1) ?? null };
}

/**
 * @param {readonly Probe[]} one
 * @param {readonly Probe[]} other
 * @returns {number[]} when `other` succeeded while `one` provably took writes
 */
function between(one, other) {
  const moments = [];
  let at = 0;
  for (const probe of other) {
    while ((one[at + 1]?.received ?? Number.POSITIVE_INFINITY) <= probe.sent) at++;
    const [before, after] = [one[at], one[at + 1]];
    if (before === undefined || before.received > probe.sent) continue;
    // The next success that came back after the probe did; there may be others under way meanwhile.
    let next = after;
    for (let i = at + 1; next !== undefined && next.sent < probe.received; i++) next = one[i + 1];
    if (next !== undefined && next.sent - before.received < CONTINUOUS_MS) moments.push(probe.received);
  }
  return moments;
}
