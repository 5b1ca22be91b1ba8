/**
 * A pair's arbiter: what its answers and its silence mean for this host. A host that hears neither the arbiter nor the other
 * host is cut off, and must not lead; one that hears the other host is not, whatever has become of the arbiter. Pure.
 */

/** Asks in a row without an answer until somebody counts as silent. */
const MISSES_MAX = 3;

/** Who answered when both were asked at one time. */
export interface Round {
  readonly arbiter: boolean;
  readonly peer: boolean;
}

/**
 * - `unknown`: just started; the arbiter has neither answered nor been silent for long enough.
 * - `reached`: the arbiter answers.
 * - `excused`: it is silent, but the other host can be reached, so this one is not cut off.
 * - `cut-off`: both are silent.
 */
export type Standing = 'unknown' | 'reached' | 'excused' | 'cut-off';

export class ArbiterWatch {
  readonly #arbiter = new Hearing();
  readonly #peer = new Hearing();
  #standing: Standing = 'unknown';

  get standing(): Standing {
    return this.#standing;
  }

  /** Takes in one round of asks. */
  hear({ arbiter, peer }: Round): Standing {
    this.#arbiter.hear(arbiter);
    this.#peer.hear(peer);
    this.#standing = standingFor(this.#arbiter.is, this.#peer.is);
    return this.#standing;
  }
}

function standingFor(arbiter: Heard, peer: Heard): Standing {
  switch (arbiter) {
    case 'unknown':
      return 'unknown';
    case 'heard':
      return 'reached';
    case 'silent':
      return peer === 'heard' ? 'excused' : 'cut-off';
  }
}

/** Whether a host that stands so may lead. */
export function mayLead(standing: Standing): boolean {
  return standing === 'reached' || standing === 'excused';
}

/** One sentence without its full stop. @param peer name of the other host */
export function sentenceOf(standing: Standing, address: string, peer: string): string {
  switch (standing) {
    case 'unknown':
      return `the arbiter ${address} has not answered yet`;
    case 'reached':
      return `the arbiter ${address} answers`;
    case 'excused':
      return `the arbiter ${address} does not answer; ${peer} can be reached, so this host goes on without it`;
    case 'cut-off':
      return `the arbiter ${address} does not answer, and ${peer} cannot be reached: this host does not lead`;
  }
}

type Heard = 'unknown' | 'heard' | 'silent';

/** One that is asked again and again: heard at once, silent only after several misses. */
class Hearing {
  is: Heard = 'unknown';
  #misses = 0;

  hear(answered: boolean): void {
    this.#misses = answered ? 0 : this.#misses + 1;
    if (answered) this.is = 'heard';
    else if (this.#misses >= MISSES_MAX) this.is = 'silent';
  }
}
