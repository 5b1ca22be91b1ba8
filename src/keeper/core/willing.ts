/** Whether our Redis may lead: not when it has less than another one that lives. */
import { placeName } from '../../base/place.js';
import { newsOf, relate, shortId } from './history.js';
import { NOWHERE } from './io.js';
import type { OwnInfo } from './own-info.js';
import { type Keeper, type SiblingNews, samePlace } from './state.js';
import { EMPTY_WAIT_MS, SIBLINGS_WAIT_MS, WATCH_MAX_MS } from './timing.js';

export type Willing =
  | { readonly is: 'willing' }
  | { readonly is: 'unwilling'; readonly reason: string }
  /** News of siblings is waited for, at most until then. */
  | { readonly is: 'wait'; readonly reason: string; readonly until: number };

export function judgeWilling(k: Keeper, now: number): Willing {
  const { info } = k.redis;
  if (info === null) return { is: 'unwilling', reason: 'nothing is known of its data' };
  // It led before, and is the same process: nobody but us has changed its data since.
  if (k.ledRunId === info.runId && info.runId !== '') return { is: 'willing' };
  const leads = whoLeadsAlready(k, info);
  if (leads !== null) return { is: 'wait', reason: leads, until: now + WATCH_MAX_MS };
  if (info.syncing) return { is: 'unwilling', reason: 'it is receiving a copy of the data, which is not whole yet' };
  for (const sibling of k.siblings) {
    const reason = sibling.alive ? (fullerThanOurs(k, info, sibling) ?? mayHoldMore(k, info, sibling, now)) : null;
    if (reason !== null) return { is: 'unwilling', reason };
  }
  return waitForSiblings(k, info, now) ?? { is: 'willing' };
}

/**
 * In epoch 0 nobody has been elected: the record is the order of hosts in tanist.yml. A master that others have set up, and
 * that our Redis follows, is not replaced by that: it is waited for the election that names it, or for its end.
 */
function whoLeadsAlready(k: Keeper, info: OwnInfo): string | null {
  if (k.settings.mode === 'pair' || k.record?.epoch !== 0) return null;
  if (info.role !== 'replica' || info.follows === null || !info.linkUp) return null;
  const news = newsOf(k, info.follows);
  if (news === null || !news.alive || news.role !== 'master') return null;
  const name = placeName(info.follows);
  return `the file names this host first, but ${name} leads already: put its host first in tanist.yml`;
}

/** Why a living sibling should lead instead, or null. Two never say it of each other. */
function fullerThanOurs(k: Keeper, info: OwnInfo, sibling: SiblingNews): string | null {
  const name = placeName(sibling.place);
  const theirs = `${sibling.keys} keys at ${shortId(sibling.replId)}:${sibling.offset}`;
  const ours = `${info.keys} keys at ${shortId(info.replId)}:${info.offset}`;
  switch (relate(info, sibling)) {
    case 'same':
    case 'ahead':
    case 'forked-from':
      return null;
    case 'behind':
      // It followed, and was chosen although it lags: that was weighed by who chose it.
      if (k.syncedRunId === info.runId) return null;
      // Nobody is ahead of the master of a history: theirs was only told later than ours.
      if (info.role === 'master' && info.replId === sibling.replId) return null;
      return `${name} is ${sibling.offset - info.offset} bytes ahead (it has ${theirs}, we have ${ours})`;
    case 'forked-off':
      return `${name} has led since (it has ${theirs}, we have ${ours})`;
    case 'unrelated':
      break;
  }
  if (info.keys === 0 && sibling.keys > 0) return `ours is empty, and ${name} has ${theirs}`;
  if (isProven(k, info) && nobodyLedSince(k, sibling)) return null;
  const { memory } = k;
  if (memory.role === 'master' && info.keys >= memory.keys && nobodyLedSince(k, sibling)) return null;
  if (info.keys >= sibling.keys) return null;
  const before = memory.role === 'unknown' ? '' : `, and as a ${memory.role} we had ${memory.keys}`;
  return `${name} has more (it has ${theirs}, we have ${ours}${before})`;
}

/**
 * We led, and come from a file that may lack what was written last. Where acknowledged writes are promised to live, a replica
 * has them, and the Sentinels find out which: so we stand back for a while. If they cannot prove it of any by then, what we
 * have is better than nobody.
 */
function mayHoldMore(k: Keeper, info: OwnInfo, sibling: SiblingNews, now: number): string | null {
  if (!mayHoldOurEnd(k, info, sibling) || now >= Math.max(k.confirmFrom, k.awakeSince) + EMPTY_WAIT_MS) return null;
  const name = placeName(sibling.place);
  return `${name} may have what was acknowledged last, and ours may have lost it in a restart: the Sentinels are to compare`;
}

/** Whether this one is in the history that we made, with all of it that we have noted. */
export function mayHoldOurEnd(k: Keeper, info: OwnInfo, sibling: SiblingNews): boolean {
  const { memory, settings } = k;
  if (settings.durability !== 'replicated' || memory.role !== 'master' || memory.replId === '') return false;
  if (relate(info, sibling) !== 'unrelated' || !sibling.alive) return false;
  // Whoever promoted it, or let it follow, has compared it.
  if (!samePlace(info.follows, NOWHERE) || k.syncedRunId === info.runId) return false;
  const isOfOurs = sibling.replId === memory.replId || sibling.replId2 === memory.replId;
  return isOfOurs && sibling.offset >= memory.offset;
}

/**
 * What we held when we led counts for nothing once another has led. Where the record names us, there is room for another
 * between its epoch and ours only if they are two apart; in a pair VRRP may choose us while it names the peer, and then any
 * later epoch is the peer's. One that is in the history that we made has led none of its own. Where acknowledged writes are
 * promised to live, whoever was promoted after another was proven to have all of them.
 */
function nobodyLedSince({ memory, record, settings }: Keeper, sibling: SiblingNews): boolean {
  if (settings.durability === 'replicated' && settings.mode === 'quorum') return true;
  if (record === null || sibling.replId === memory.replId) return true;
  return record.epoch <= memory.epoch + (samePlace(record.master, settings.self) ? 1 : 0);
}

/** Its history goes on where it was when last seen: it has lost nothing by a restart. */
function isProven({ memory }: Keeper, info: OwnInfo): boolean {
  return memory.replId !== '' && (info.replId === memory.replId || info.replId2 === memory.replId);
}

/**
 * A Redis that comes from disk leads only when the others have been heard, or have had their time. One that followed, and
 * was chosen by the Sentinels, was compared by them.
 */
function waitForSiblings(k: Keeper, info: OwnInfo, now: number): Willing | null {
  if (info.role === 'master' ? isProven(k, info) : !samePlace(info.follows, NOWHERE)) return null;
  const fresh = k.confirmFrom;
  const missing = k.settings.siblings.filter(
    (place) => !k.siblings.some((news) => news.alive && news.at >= fresh && samePlace(news.place, place)),
  );
  if (missing.length === 0) return null;
  const emptied = info.keys === 0 && k.memory.keys > 0;
  const until = Math.max(fresh, k.awakeSince) + (emptied ? EMPTY_WAIT_MS : SIBLINGS_WAIT_MS);
  if (now >= until) return null;
  const lost = emptied ? `, since ours is empty and had ${k.memory.keys} keys` : '';
  return { is: 'wait', reason: `news of ${missing.map(placeName).join(', ')} is waited for${lost}`, until };
}
