/** What every simulated process is given: the loop, the network, and where to tell what it does. */
import type { Prng } from '../base/prng.js';
import type { Fact } from './fact.js';
import type { Loop } from './loop.js';
import type { Network } from './network.js';

export interface Context {
  readonly loop: Loop;
  readonly network: Network;
  readonly prng: Prng;
  /** Tells the checkers. */
  fact(fact: Fact): void;
  /** A line of the transcript; `level` 1 is for the short one too. The text is made only when it is wanted. */
  note(level: 1 | 2, who: string, text: () => string): void;
}
