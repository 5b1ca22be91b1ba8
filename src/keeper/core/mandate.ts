/** Who is to lead: the one question whose answer comes from the voters, or, in pair mode, from VRRP. */
import { placeName } from '../../base/place.js';
import type { Place } from './io.js';
import { describeVoters, mayLeadUntil } from './lease.js';
import { pairMandate } from './pair.js';
import { countConfirming } from './record.js';
import { FOREVER, samePlace } from './state.js';
import { majority } from './timing.js';
import type { Turn } from './turn.js';

export type Mandate =
  | { readonly leader: 'unknown'; readonly reason: string }
  | { readonly leader: 'other'; readonly place: Place; readonly reason: string }
  /** We lead, but only until `until`, which may have passed; `reason` says what it rests on. */
  | { readonly leader: 'us'; readonly until: number; readonly reason: string };

export function mandateOf(turn: Turn): Mandate {
  return turn.k.settings.mode === 'pair' ? pairMandate(turn) : quorumMandate(turn);
}

function quorumMandate({ k, now }: Turn): Mandate {
  const { record, settings } = k;
  if (!k.confirmed || record === null) {
    const all = settings.voters.length;
    const known = record === null ? 'no leader record is known yet' : `${placeName(record.master)} may lead`;
    return {
      leader: 'unknown',
      reason: `${known}: the voters are being asked; ${countConfirming(k)} of ${all} have answered, ${majority(all)} are needed`,
    };
  }
  const told = `the record names ${placeName(record.master)} in epoch ${record.epoch}`;
  if (!samePlace(record.master, settings.self)) return { leader: 'other', place: record.master, reason: told };
  if (settings.ttl_ms === null) return { leader: 'us', until: FOREVER, reason: told };
  return { leader: 'us', until: mayLeadUntil(k), reason: describeVoters(k, now) };
}
