/** Lets the first of many equal messages through, then one a minute with the count of those held back. */
const WINDOW_MS = 60_000;
/** A sender that varies its faults must not grow the table without end. */
const MAX_KINDS = 64;

export class Quiet {
  readonly #kinds = new Map<string, { since: number; held: number }>();

  /** The text to log now, or null when a message of this kind was logged a short while ago. */
  pass(now: number, kind: string, message: string): string | null {
    const known = this.#kinds.get(kind);
    if (known !== undefined && now - known.since < WINDOW_MS) {
      known.held++;
      return null;
    }
    if (known === undefined && this.#kinds.size >= MAX_KINDS) this.#kinds.clear();
    this.#kinds.set(kind, { since: now, held: 0 });
    return known === undefined || known.held === 0 ? message : `${message} (and ${known.held} times more since)`;
  }
}
