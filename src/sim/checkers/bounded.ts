import type { Fact } from '../fact.js';
import type { Checker } from './checker.js';

/** Requests that a link may have outstanding for each of its owners, and effects of one step. */
export const PENDING_MAX = 100;
export const EFFECTS_MAX = 400;

/** What a sentinel has under way stays within bounds: effects a step, connections a link, requests a connection. */
export class Bounded implements Checker {
  readonly kind = 'fault';
  readonly property = 'pending requests and outputs are bounded';

  take(fact: Fact): string | null {
    if (fact.kind !== 'load') return null;
    const { sentinel, effects, conns, links, pending } = fact;
    if (effects > EFFECTS_MAX) return `one step of ${sentinel} had ${effects} effects`;
    if (conns > 2 * links) return `${sentinel} has ${conns} connections for ${links} links`;
    return pending > PENDING_MAX ? `${sentinel} waits for ${pending} replies of one connection` : null;
  }
}
