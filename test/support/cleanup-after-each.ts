import { afterEach } from 'vitest';
import { Cleanup } from './cleanup.js';

/** For a vitest file or `describe`: a stack that is emptied after each test. */
export function cleanupAfterEach(): Cleanup {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());
  return cleanup;
}
