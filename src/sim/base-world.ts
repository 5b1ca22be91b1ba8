/** What every simulated world has: virtual time, a network, a transcript, and the first property that was violated. */
import { Prng } from '../base/prng.js';
import type { Context } from './context.js';
import type { Fact } from './fact.js';
import { Loop } from './loop.js';
import { Network } from './network.js';

export interface Violation {
  readonly property: string;
  readonly what: string;
  /** Virtual milliseconds. */
  readonly at: number;
}

/** A transcript's line. */
export interface Line {
  readonly level: 1 | 2;
  readonly text: string;
}

export abstract class BaseWorld {
  readonly loop = new Loop();
  readonly network: Network;
  readonly context: Context;
  readonly lines: Line[] = [];
  violation: Violation | null = null;
  /** When the network was last cut, mended, slowed down or made fast again. */
  networkTroubledAt = Number.NEGATIVE_INFINITY;
  /** What has happened, for the summary of a batch. */
  readonly counts = { elections: 0, promotions: 0, acknowledged: 0, limits: 0 };
  /** Sentinel id to name, for the transcript. */
  readonly nameOf = new Map<string, string>();

  constructor(
    seed: number,
    private readonly recording: boolean,
  ) {
    const prng = new Prng(seed);
    this.network = new Network(this.loop, new Prng(prng.uint32()));
    this.context = {
      loop: this.loop,
      network: this.network,
      prng: new Prng(prng.uint32()),
      fact: (fact) => this.check(fact),
      note: (level, who, text) => this.note(level, who, text),
    };
  }

  /** Tells the checkers. */
  protected abstract check(fact: Fact): void;

  /** Lets time pass; ends early when a property is violated. */
  run(length_ms: number, stop: () => boolean = () => false): void {
    this.loop.runUntil(this.loop.now + length_ms, () => this.violation !== null || stop());
  }

  /** The first counts. */
  violate(property: string, what: string): void {
    if (this.violation !== null) return;
    this.violation = { property, what, at: this.loop.now };
    this.note(1, '!', () => `VIOLATED: ${property}: ${what}`);
  }

  note(level: 1 | 2, who: string, text: () => string): void {
    if (!this.recording) return;
    const named = text().replace(/\b[0-9a-f]{40}\b/g, (id) => this.nameOf.get(id) ?? id.slice(0, 8));
    this.lines.push({ level, text: `${(this.loop.now / 1_000).toFixed(3).padStart(8)}  ${who.padEnd(4)} ${named}` });
  }
}
