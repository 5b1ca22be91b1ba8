/**
 * When an agent that has started tells that it is ready. Whoever restarts one host after the other goes on then: it must be
 * when the Sentinel of this host counts again, or two restarts in a row take the majority from a lease that all is well with.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { VoterPicture } from '../sentinel/embedded/picture.js';
import type { Conditions } from './conditions.js';

/** Those who lead ask several times a ttl: when none has by then, nobody leads who could. */
const FIRST_GRANT_MS = 500;

/**
 * Waits until the Sentinel may grant and vote, and for its first grants, which may not come: with the first hosts of a
 * cluster to start nobody can lead yet. So it lasts no longer than the lease's ttl and a little more.
 */
export async function untilVoter(look: () => VoterPicture, conditions: Conditions): Promise<void> {
  // A timer may ring a little early.
  for (let { waits_ms } = look(); waits_ms > 0; { waits_ms } = look()) await pause(Math.ceil(waits_ms));
  await conditions.until(() => look().grants, FIRST_GRANT_MS);
}
