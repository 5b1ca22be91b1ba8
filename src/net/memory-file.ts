/** A file that is nowhere on disk and has no path: memfd_create(2). It goes with the last process that has it open. */
import { closeSync, writeSync } from 'node:fs';
import { memfdCreate } from './libc.js';

/**
 * @param name for /proc only
 * @returns a descriptor to read from, at the beginning of the content; the caller closes it
 * @throws {SystemError} when the kernel gives none
 */
export function openMemoryFile(name: string, content: Uint8Array): number {
  const fd = memfdCreate(name, 'a file in memory');
  try {
    // At given positions, so that the reader's own, which it shares with us, stays at the beginning.
    for (let at = 0; at < content.length; ) at += writeSync(fd, content, at, content.length - at, at);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
