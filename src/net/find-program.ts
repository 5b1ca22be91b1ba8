/** Where a program is, as the shell would find it. */
import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

/** The first of these folders' files of this name that may be run; null when there is none. */
export function findProgram(name: string, folders: readonly string[]): string | null {
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

/** Whether this is a file that we may run: of a folder the same right lets us look into it. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
