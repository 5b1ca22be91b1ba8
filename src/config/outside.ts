/** What a configuration names but does not contain. */
import { readFileSync } from 'node:fs';

export interface Outside {
  /** @throws {Error} when the file cannot be read. */
  readonly readFile: (path: string) => string;
  readonly variable: (name: string) => string | undefined;
}

/** The disk and the environment. */
export const OUTSIDE: Outside = {
  readFile: (path) => readFileSync(path, 'utf8'),
  variable: (name) => process.env[name],
};
