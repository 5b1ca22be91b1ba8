import { setTimeout as pause } from 'node:timers/promises';

/** Options of {@link until}. */
export interface UntilOptions {
  /** What is waited for, as the end of "gave up waiting for …". */
  readonly what: string;
  /** How long to go on asking. */
  readonly deadline_ms?: number;
  /** Between two looks. */
  readonly interval_ms?: number;
}

/**
 * Asks again and again until `look` gives something truthy, and returns that. A look that throws counts as "not yet".
 * @throws {Error} at the deadline, with the last value or error seen.
 */
export async function until<T>(look: () => T | Promise<T>, options: UntilOptions): Promise<NonNullable<T>> {
  const { what, deadline_ms = 15_000, interval_ms = 10 } = options;
  const started = performance.now();
  let seen = 'nothing';
  for (;;) {
    try {
      const value = await look();
      if (value) return value as NonNullable<T>;
      seen = describe(value);
    } catch (error) {
      seen = error instanceof Error ? `${error.name}: ${error.message}` : describe(error);
    }
    const elapsed_ms = performance.now() - started;
    if (elapsed_ms >= deadline_ms) {
      throw new Error(`gave up waiting for ${what} after ${Math.round(elapsed_ms)} ms; last seen: ${seen}`);
    }
    await pause(interval_ms);
  }
}

function describe(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}
