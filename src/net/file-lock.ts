/** A lock that ends with its process, however that ends: flock(2). */
import { flock } from './libc.js';

/**
 * Locks an open file for this process alone, without waiting.
 * @param path for the message
 * @returns false when another process holds it
 * @throws {SystemError} when the file system knows no locks
 */
export function lockFile(fd: number, path: string): boolean {
  return flock(fd, `locking ${path}`);
}
