/** The VIP: granted until a moment while the right to lead lasts, revoked before anything else when it ends. */
import { REVOKE_AGAIN_MS, VIP_ROLL_MS, VIP_ROLL_PERIOD_MS } from './timing.js';
import type { Turn } from './turn.js';

/** Grants the VIP, or prolongs the grant. @param until what the right to lead allows; infinite without a lease */
export function grantVip(turn: Turn, until: number): void {
  if (turn.k.settings.mode !== 'pair') grant(turn, until);
}

/** The VIP must not be here. Told again while the router says that it is. */
export function revokeVip(turn: Turn, reason: string): void {
  if (turn.k.settings.mode !== 'pair') revoke(turn, reason);
}

/** Pair mode: VRRP decides where the VIP is, among hosts that are fit for it. @param unfit why this one is not, or null */
export function tellFitness(turn: Turn, unfit: string | null): void {
  if (unfit === null) grant(turn, Number.POSITIVE_INFINITY);
  else revoke(turn, unfit);
}

function grant(turn: Turn, until: number): void {
  const { k, now } = turn;
  const limited = Number.isFinite(until);
  const granted = limited ? until : now + VIP_ROLL_MS;
  if (granted <= now) return;
  if (k.vipUntil !== null) {
    if (granted <= k.vipUntil) return;
    if (!limited && !turn.isDue(k.vipGrantedAt + VIP_ROLL_PERIOD_MS)) return;
  }
  k.vipUntil = granted;
  k.vipGrantedAt = now;
  turn.effects.push({ do: 'grant-vip', until: granted });
  if (!limited) turn.at(now + VIP_ROLL_PERIOD_MS);
}

function revoke(turn: Turn, reason: string): void {
  const { k, now } = turn;
  const again = k.vipHeld && turn.isDue(k.vipRevokedAt + REVOKE_AGAIN_MS);
  if (k.vipUntil === null && !again) return;
  k.vipUntil = null;
  k.vipRevokedAt = now;
  turn.effects.push({ do: 'revoke-vip', reason });
  if (k.vipHeld) turn.at(now + REVOKE_AGAIN_MS);
}
