/**
 * Replacing a file so that a crash leaves either the old content or the new, never a mixture. Synchronous, since a vote
 * must be on the disk before it is answered.
 */
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorText } from '../base/error-text.js';

/** A configuration file that is missing, or cannot be read or written. */
export class ConfigFileError extends Error {
  override readonly name = 'ConfigFileError';
  readonly code = 'ERR_CONFIG_FILE';

  constructor(
    message: string,
    /** The system's own code, such as `ENOENT`; empty when the system did not complain. */
    readonly systemCode: string,
  ) {
    super(message);
  }
}

/** How the content got into the file. `in-place` is not safe against a crash in the middle of the write. */
export type WriteManner = 'replaced' | 'in-place';

/**
 * Writes the content into a temporary file beside the target, forces it to the disk, and renames it over the target. Mode
 * and owner are kept; of a symbolic link the target is replaced and the link stays.
 *
 * Where that cannot work (the file is a mount point of its own, as containers do it, or its directory is not writable) an
 * existing file is overwritten in place.
 *
 * @throws {ConfigFileError} when nothing could be written; in the first manner the old content is then untouched.
 */
export function writeFileAtomic(path: string, content: Uint8Array): WriteManner {
  const target = resolveLinks(path);
  try {
    replace(target, content);
    return 'replaced';
  } catch (error) {
    const code = systemCode(error);
    const isPossibleInPlace =
      code === 'EBUSY' || code === 'EXDEV' || code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
    if (!isPossibleInPlace || statOf(target) === null) throw failure(path, 'cannot be written', error);
  }
  try {
    overwrite(target, content);
    return 'in-place';
  } catch (error) {
    throw failure(path, 'cannot be written', error);
  }
}

/**
 * The same for a file of our own in a directory of our own, without keeping this thread waiting for the disk: no other
 * process may write it meanwhile, and no second call of this.
 * @param isLatest asked in the moment of the replacement: when this thread has written something newer meanwhile, that stays
 * @throws {ConfigFileError} (rejects) when it could not be written; the old content is then untouched.
 */
export async function writeFileInBackground(path: string, content: Uint8Array, isLatest: () => boolean): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    // In the turn of the question: awaited, the newer content could come in between, and be replaced.
    if (isLatest()) renameSync(temporary, path);
    else await rm(temporary);
    const directory = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
    await directory.sync().finally(() => directory.close());
  } catch (error) {
    throw failure(path, 'cannot be written', error);
  }
}

/**
 * Refuses a file that a Sentinel could not keep its state in.
 * @throws {ConfigFileError} when it does not exist, is not a regular file, or is not readable and writable.
 */
export function assertWritable(path: string): void {
  let isFile: boolean;
  try {
    isFile = statSync(path).isFile();
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw failure(path, 'must exist and be writable, since a Sentinel keeps its state in it', error);
  }
  if (!isFile) throw new ConfigFileError(`${path} is not a regular file`, '');
}

function replace(target: string, content: Uint8Array): void {
  const old = statOf(target);
  const directory = dirname(target);
  const temporary = join(directory, `.${basename(target)}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`);
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    try {
      adopt(fd, old);
      writeAll(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, target);
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  }
  syncDirectory(directory);
}

/** Owner and mode of the file that will be replaced. A new file is for its owner alone: it may hold passwords. */
function adopt(fd: number, old: Stats | null): void {
  if (old === null) return;
  const now = fstatSync(fd);
  // Owner before mode: a change of owner clears set-id bits. Without the right to give a file away, EPERM leads to the
  // in-place write, which keeps the owner.
  if (now.uid !== old.uid || now.gid !== old.gid) fchownSync(fd, old.uid, old.gid);
  fchmodSync(fd, old.mode & 0o7777);
}

function overwrite(target: string, content: Uint8Array): void {
  const fd = openSync(target, 'r+');
  try {
    writeAll(fd, content);
    ftruncateSync(fd, content.length);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function writeAll(fd: number, content: Uint8Array): void {
  let written = 0;
  while (written < content.length) written += writeSync(fd, content, written, content.length - written, written);
}

function syncDirectory(directory: string): void {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function resolveLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return path;
    throw failure(path, 'cannot be found', error);
  }
}

function statOf(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The write's own error is the one to report.
  }
}

export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function failure(path: string, what: string, error: unknown): ConfigFileError {
  return new ConfigFileError(`${path} ${what}: ${errorText(error)}`, systemCode(error));
}
