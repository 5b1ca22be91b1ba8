import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from './cleanup.js';
import { atExit } from './last-rites.js';

/** Makes an empty folder under the system's temporary one; it is removed by the cleanup, or when the process ends. */
export function tempDir(cleanup: Cleanup, prefix = 'tanist-test-'): string {
  const path = mkdtempSync(join(tmpdir(), prefix));
  const remove = () => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  const forget = atExit(remove);
  cleanup.add(() => {
    forget();
    remove();
  });
  return path;
}
