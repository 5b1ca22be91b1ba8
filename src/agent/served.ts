/**
 * An order to change masters is carried out when clients can come back: the new master serves, and has the VIP. The record
 * is there some tens of milliseconds earlier, and whoever connects to the VIP in between is refused.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Outcome } from './view.js';

/** The VIP follows within tens of milliseconds; longer, and something is in its way, which status tells. */
const SERVED_MAX_MS = 2_000;
/** Not at once, either: whoever asks, and ends then, would only disturb the change. */
const LOOK_EVERY_MS = 50;

/**
 * Waits after a change that came about; one that did not is passed on at once.
 * @param serves asked until it says so, or for two seconds
 */
export async function whenServed(outcome: Outcome, serves: () => Promise<boolean>): Promise<Outcome> {
  if (!outcome.ok) return outcome;
  for (const until = performance.now() + SERVED_MAX_MS; performance.now() < until; ) {
    await wait(LOOK_EVERY_MS);
    if (await serves()) return outcome;
  }
  return { ok: true, text: `${outcome.text}; it does not serve yet, see \`tanist status\`` };
}
