/** The last lines that a process wrote into its logs since it was started: what it says when it cannot go on. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

const LINES_max = 4;
const READ_max_bytes = 8 * 1024;

export class LogTail {
  /** Where each log ended when the process was started. */
  readonly #from: ReadonlyMap<string, number>;

  /** @param paths the logs; they need not exist yet */
  constructor(paths: readonly string[]) {
    this.#from = new Map(paths.map((path) => [path, statSync(path, { throwIfNoEntry: false })?.size ?? 0]));
  }

  /** `: ` and the lines, or nothing when there are none. Never throws. */
  words(): string {
    const lines = [...this.#from].flatMap(([path, from]) => linesSince(path, from));
    return lines.length === 0 ? '' : `: ${lines.slice(-LINES_max).join(' | ')}`;
  }
}

function linesSince(path: string, from: number): string[] {
  try {
    const fd = openSync(path, 'r');
    try {
      const { size } = fstatSync(fd);
      const start = Math.max(size < from ? 0 : from, size - READ_max_bytes);
      const bytes = Buffer.alloc(Math.max(0, size - start));
      const read = readSync(fd, bytes, 0, bytes.length, start);
      const text = bytes.toString('utf8', 0, read);
      return text
        .split('\n')
        .map(bare)
        .filter((line) => line !== '');
    } finally {
      closeSync(fd);
    }
  } catch {
    return [];
  }
}

/** Without Redis's own pid, role and time. */
function bare(line: string): string {
  return line.replace(/^\d+:[A-Z] .{24,28}? [.*#-] /, '').trim();
}
