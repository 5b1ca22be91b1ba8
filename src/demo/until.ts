import { setTimeout as delay } from 'node:timers/promises';
import { DemoError } from './demo-error.js';

/** What was waited for did not come. */
export class DeadlineError extends DemoError {
  override readonly name = 'DeadlineError';
  override readonly code = 'ERR_DEADLINE';
}

/**
 * Waits until `condition` gives something else than null or false, asking again every few milliseconds.
 * @throws {DeadlineError} naming `what` after `deadline_ms`
 */
export async function until<T>(
  what: string,
  deadline_ms: number,
  condition: () => Promise<T | null | false> | T | null | false,
): Promise<T> {
  const end = performance.now() + deadline_ms;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== false) return value;
    if (performance.now() > end) throw new DeadlineError(`waited ${deadline_ms} ms in vain for ${what}`);
    await delay(20);
  }
}
