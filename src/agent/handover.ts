/**
 * The planned change of master, as the agent beside the master carries it out: the keeper lets the others elect while it
 * still leads, its own Sentinel pauses writes, waits for the target and promotes it, and the record tells when it is done.
 */

import type { LeaderRecord, Place } from '../keeper/core/io.js';
import { samePlace } from '../keeper/core/state.js';
import { ErrorReply, type Reply } from '../redis/reply.js';
import type { Conditions } from './conditions.js';
import type { Outcome } from './view.js';

/** The keeper's consent is there in a round trip; longer, and no majority answers. */
const CONSENT_MS = 2_000;
/** Election, pause, promotion: bounded by the Sentinel itself; this only ends the wait. */
const CHANGE_MS = 15_000;

/** What the change needs of the agent. */
export interface HandoverHands {
  /**
   * Asks the keeper to let others be elected for as long as the change may take.
   * @returns false when a majority did not hear of it in time
   */
  consent(times: { readonly heardWithin_ms: number; readonly lasts_ms: number }): Promise<boolean>;
  /** The keeper leads on, or has been relieved. */
  consentOver(): void;
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

export interface HandoverOrder {
  readonly group: string;
  /** Null: whoever is best. */
  readonly to: Place | null;
  /** Without waiting for the target to have everything: writes may be lost. */
  readonly force: boolean;
}

/** Carries out one change; the caller sees to it that there is only one at a time for a group. */
export async function handOver(hands: HandoverHands, order: HandoverOrder): Promise<Outcome> {
  const before = hands.record();
  if (!(await hands.consent({ heardWithin_ms: CONSENT_MS, lasts_ms: CONSENT_MS + CHANGE_MS }))) {
    hands.consentOver();
    return refused(`no majority of the Sentinels answered within ${CONSENT_MS} ms: nothing was changed`);
  }
  try {
    return await change(hands, order, before);
  } finally {
    hands.consentOver();
  }
}

async function change(hands: HandoverHands, order: HandoverOrder, before: LeaderRecord | null): Promise<Outcome> {
  const { group, to, force } = order;
  const target = to === null ? [] : ['TO', to.host, String(to.port)];
  const began = hands.now();
  const reply = await hands.command(['SENTINEL', 'FAILOVER', group, force ? 'FORCE' : 'COORDINATED', ...target]);
  if (reply instanceof ErrorReply) return refused(withoutCode(reply.message));
  // A change that was given up has an epoch of its own, too.
  const changed = (): boolean => !samePlace(hands.record()?.master ?? null, before?.master ?? null);
  await hands.conditions.until(() => changed() || !hands.underWay(), CHANGE_MS);
  const after = hands.record();
  if (after === null || !changed()) {
    return refused(`the switchover did not come about: ${hands.whyGivenUp() ?? 'the log of this host has the reason'}`);
  }
  const took_ms = Math.round(hands.now() - began);
  return {
    ok: true,
    text: `${after.master.host}:${after.master.port} leads ${group} since epoch ${after.epoch}, after ${took_ms} ms`,
  };
}

function refused(text: string): Outcome {
  return { ok: false, status: 409, text };
}

function withoutCode(message: string): string {
  return message.replace(/^[A-Z]+ /, '');
}
