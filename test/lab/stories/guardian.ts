/** Cleans up after this process even when it is killed with a signal that nobody can handle. */
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { namespacePrefix } from '../netns.js';

const GUARDIAN = fileURLToPath(new URL('./guardian.mjs', import.meta.url));

/** What the names of this process's folders begin with, below the system's temporary one. */
export const FOLDER_PREFIX = `tanist-lab-${process.pid.toString(36)}-`;

let guarded = false;

/** Starts the guardian, once; it ends with this process. */
export function guard(): void {
  if (guarded) return;
  guarded = true;
  const child = spawn(process.execPath, [GUARDIAN, namespacePrefix, join(tmpdir(), FOLDER_PREFIX)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  // The pipe must not keep this process alive either; the kernel closes it whatever ends us.
  (child.stdin as typeof child.stdin & { unref(): void }).unref();
}
