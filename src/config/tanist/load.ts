/** A tanist.yml from the disk. */
import { readFileSync } from 'node:fs';
import { errorText } from '../../base/error-text.js';
import { ConfigError } from '../config-error.js';
import { OUTSIDE, type Outside } from '../outside.js';
import type { TanistConfig } from './model.js';
import { readTanistConfig } from './read.js';

/** Where it is looked for when none is named. */
export const DEFAULT_FILE = '/etc/tanist/tanist.yml';

/**
 * @param path as the user named it; `-` for standard input.
 * @throws {ConfigError} when it cannot be read, or is refused.
 */
export function loadTanistConfig(path: string, outside: Outside = OUTSIDE): TanistConfig {
  const name = path === '-' ? '<stdin>' : path;
  let text: string;
  try {
    text = path === '-' ? readFileSync(0, 'utf8') : outside.readFile(path);
  } catch (error) {
    const message = `cannot be read: ${errorText(error)}`;
    throw new ConfigError([
      { file: name, line: 0, column: 0, word: '', message, fix: 'name a file that is there and readable', source: '' },
    ]);
  }
  return readTanistConfig(text, name, outside);
}
