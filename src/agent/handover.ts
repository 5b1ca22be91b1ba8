/**
 * The planned change of master, as the agent beside the master carries it out: the keeper lets the others elect while it
 * still leads, its own Sentinel pauses writes, waits for the target and promotes it, and the record tells when it is done.
 */
import { placeName } from '../base/place.js';
import type { LeaderRecord, Place } from '../keeper/core/io.js';
import { samePlace } from '../keeper/core/state.js';
import { ErrorReply, type Reply } from '../redis/reply.js';
import type { Conditions } from './conditions.js';
import type { Outcome } from './view.js';

/** The keeper's consent is there in a round trip; longer, and no majority answers. */
const CONSENT_MS = 2_000;
/** Election, pause, promotion: bounded by the Sentinel itself; this only ends the wait. */
const CHANGE_MS = 15_000;

/** What any change that is asked for needs of the agent. */
export interface ChangeHands {
  command(args: readonly string[]): Promise<Reply>;
  record(): LeaderRecord | null;
  /** Whether this host's Sentinel is in the middle of a failover of the group. */
  underWay(): boolean;
  /** Why its last failover of the group was given up; null when none was. */
  whyGivenUp(): string | null;
  /** Monotonic milliseconds. */
  now(): number;
  readonly conditions: Conditions;
}

/** What the change needs of the agent beside the master. */
export interface HandoverHands extends ChangeHands {
  /**
   * Asks the keeper to let others be elected for as long as the change may take.
   * @returns false when a majority did not hear of it in time
   */
  consent(times: { readonly heardWithin_ms: number; readonly lasts_ms: number }): Promise<boolean>;
  /** The keeper leads on, or has been relieved. */
  consentOver(): void;
}

export interface HandoverOrder {
  readonly group: string;
  /** Null: whoever is best. */
  readonly to: Place | null;
  /** Without waiting for the target to have everything: writes may be lost. */
  readonly force: boolean;
}

/** Carries out one change; the caller sees to it that there is only one at a time for a group. */
export async function handOver(hands: HandoverHands, order: HandoverOrder): Promise<Outcome> {
  if (!(await hands.consent({ heardWithin_ms: CONSENT_MS, lasts_ms: CONSENT_MS + CHANGE_MS }))) {
    hands.consentOver();
    return refused(`no majority of the Sentinels answered within ${CONSENT_MS} ms: nothing was changed`);
  }
  try {
    return await change(hands, order);
  } finally {
    hands.consentOver();
  }
}

/**
 * Lets this host's Sentinel change the master, and waits for what comes of it. Without the consent of the master's keeper
 * its lease has to run out first, which the Sentinel sees to.
 */
export async function change(hands: ChangeHands, order: HandoverOrder): Promise<Outcome> {
  const { group, to, force } = order;
  const before = hands.record();
  const target = to === null ? [] : ['TO', to.host, String(to.port)];
  const began = hands.now();
  const reply = await hands.command(['SENTINEL', 'FAILOVER', group, force ? 'FORCE' : 'COORDINATED', ...target]);
  if (reply instanceof ErrorReply) return refused(withoutCode(reply.message));
  // A change that was given up has an epoch of its own, too.
  const changed = (): boolean => !samePlace(hands.record()?.master ?? null, before?.master ?? null);
  await hands.conditions.until(() => changed() || !hands.underWay(), CHANGE_MS);
  const after = hands.record();
  if (after === null || !changed()) {
    const what = force ? 'failover' : 'switchover';
    return refused(`the ${what} did not come about: ${hands.whyGivenUp() ?? 'the log of this host has the reason'}`);
  }
  const took_ms = Math.round(hands.now() - began);
  return {
    ok: true,
    text: `${placeName(after.master)} leads ${group} since epoch ${after.epoch}, after ${took_ms} ms`,
  };
}

function refused(text: string): Outcome {
  return { ok: false, status: 409, text };
}

function withoutCode(message: string): string {
  return message.replace(/^[A-Z]+ /, '');
}
