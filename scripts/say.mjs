/** How the scripts talk: one line when work begins, one when it took its time; nothing when there is nothing to do. */

/** Worth a word at its end. */
const long_ms = 2_000;

/**
 * Does a piece of work, saying so first.
 * @template T
 * @param {string} what e.g. "building"
 * @param {() => T} work
 * @returns {T}
 */
export function step(what, work) {
  console.log(`set-up: ${what}`);
  const started = performance.now();
  const result = work();
  const took_ms = performance.now() - started;
  if (took_ms > long_ms) console.log(`set-up: done in ${Math.round(took_ms / 1000)} s`);
  return result;
}

/** A reason to stop that is the machine's, or the network's: its message is all that the user needs to see. */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError';
}
