/** The disk for the readers: loading a file, includes, and the checks of scripts and directories. */
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorText } from '../base/error-text.js';
import { ConfigFileError, systemCode } from './atomic-file.js';
import { type ConfDocument, parseConfBytes } from './conf-lines.js';
import type { ReadOptions } from './sentinel-conf.js';

/** A larger file is taken for a mistake. */
export const CONF_FILE_MAX_bytes = 16 * 1024 * 1024;

/** @throws {ConfigFileError} when the file cannot be read or is too large. */
export function loadConfFile(path: string): ConfDocument {
  try {
    const size = statSync(path).size;
    if (size > CONF_FILE_MAX_bytes) throw new ConfigFileError(`${path} is no configuration: ${size} bytes`, '');
    return parseConfBytes(readFileSync(path), path);
  } catch (error) {
    if (error instanceof ConfigFileError) throw error;
    throw new ConfigFileError(`${path} cannot be read: ${errorText(error)}`, systemCode(error));
  }
}

/** The checks that need the disk, for `readSentinelConf`. Relative paths count from the working directory. */
export const DISK_CHECKS: Omit<ReadOptions, 'checkUser'> = {
  isExecutable: (path) => isFileWith(path, constants.X_OK),
  isDirectory,
  appendFault: (path) => {
    if (isDirectory(path)) return 'it is a directory';
    try {
      if (existsSync(path)) accessSync(path, constants.W_OK);
      else accessSync(dirname(path), constants.W_OK | constants.X_OK);
      return null;
    } catch (error) {
      return systemCode(error) === 'ENOENT' ? 'no such directory' : 'permission denied';
    }
  },
  include: (pattern) => {
    try {
      return matchingFiles(pattern).map(loadConfFile);
    } catch {
      return null;
    }
  },
};

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isFileWith(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The path itself, or, with `*` or `?` in its last part, the files of that directory that match, sorted. */
function matchingFiles(pattern: string): readonly string[] {
  const directory = dirname(pattern);
  const last = pattern.slice(pattern.lastIndexOf('/') + 1);
  if (!/[*?]/.test(last)) return [pattern];
  const source = last
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const matches = new RegExp(`^${source}$`, 's');
  const names = readdirSync(directory).filter(
    (name) => matches.test(name) && (last.startsWith('.') || !name.startsWith('.')),
  );
  return names.sort().map((name) => join(directory, name));
}
