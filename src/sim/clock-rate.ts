/** How fast a host's clock runs. */
import type { Prng } from '../base/prng.js';

/** One within `drift` of 1; half of them at one end or the other, where protocols break. */
export function drawRate(prng: Prng, drift: number): number {
  const wide = prng.below(2_001) / 500 - 2;
  return 1 + drift * Math.max(-1, Math.min(1, wide));
}
