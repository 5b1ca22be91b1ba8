/** A folder with little room, and something that takes all of it. */
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Cleanup } from '../../support/cleanup.js';
import { atExit } from '../../support/last-rites.js';
import { run } from '../netns.js';

const FILLER = 'filler';

/** Puts a small file system at `path`; it goes with the cleanup. Needs root. */
export function smallDisk(path: string, megabytes: number, cleanup: Cleanup): void {
  mkdirSync(path, { recursive: true });
  run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tanist-lab', path]);
  // Lazily: a process that is being killed may still have a file open.
  const unmount = () => run('umount', ['-l', path]);
  const forget = atExit(unmount);
  cleanup.add(() => {
    forget();
    unmount();
  });
}

/** Takes all the room that is left, to the last byte. */
export function fill(path: string): void {
  const file = openSync(join(path, FILLER), 'w');
  try {
    for (let size_bytes = 1 << 20; size_bytes > 0; ) {
      try {
        const written = writeSync(file, Buffer.alloc(size_bytes, 1));
        if (written === 0) size_bytes >>= 1;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size_bytes >>= 1;
      }
    }
  } finally {
    closeSync(file);
  }
}

/** Gives the room back. */
export function drain(path: string): void {
  rmSync(join(path, FILLER), { force: true });
}
