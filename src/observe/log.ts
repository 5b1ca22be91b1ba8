/** The log in Redis's line format, so that what reads redis-sentinel's log reads ours. */
import { appendFileSync } from 'node:fs';
import { isJournal } from './journal.js';
import { RateLimit } from './rate-limit.js';

/** Severity, in ascending order. */
export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning';

const MARKS: Readonly<Record<LogLevel, string>> = { debug: '.', verbose: '-', notice: '*', warning: '#' };
const PRIORITIES: Readonly<Record<LogLevel, number>> = { debug: 7, verbose: 6, notice: 5, warning: 4 };
const RANKS: Readonly<Record<LogLevel | 'nothing', number>> = {
  debug: 0,
  verbose: 1,
  notice: 2,
  warning: 3,
  nothing: 4,
};
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
/** A longer line is cut: its text may come from another host. */
const LINE_MAX_chars = 4_096;
/** A log that cannot be written is complained about on standard error this often. */
const COMPLAINT_PERIOD_ms = 60_000;

export interface LogOptions {
  /** Less severe lines are dropped. */
  readonly level: LogLevel | 'nothing';
  /** Path of the file; empty for standard output. */
  readonly file: string;
}

/** `PID:X DD Mon YYYY HH:MM:SS.mmm <mark> text`, to standard output or to a file; `<mark> text` to systemd's journal. */
export class Log {
  #rank = 0;
  readonly #file: string;
  readonly #journal: boolean;
  readonly #complaints = new RateLimit(COMPLAINT_PERIOD_ms);

  constructor(options: LogOptions) {
    this.setLevel(options.level);
    this.#file = options.file;
    this.#journal = options.file === '' && isJournal(1);
  }

  /** From now on, less severe lines are dropped. */
  setLevel(level: LogLevel | 'nothing'): void {
    this.#rank = RANKS[level];
  }

  /** Whether lines of this level are written at all. */
  takes(level: LogLevel): boolean {
    return RANKS[level] >= this.#rank;
  }

  write(level: LogLevel, text: string): void {
    if (!this.takes(level)) return;
    const line = this.#journal ? journalLine(level, text) : formatLine(process.pid, new Date(), level, text);
    if (this.#file === '') {
      process.stdout.write(line);
      return;
    }
    try {
      // Opened for each line, as Redis does: a log that was renamed away is begun anew.
      appendFileSync(this.#file, line);
    } catch (error) {
      if (this.#complaints.passes(performance.now())) {
        console.error(
          `tanist: cannot write to the log ${this.#file}: ${error instanceof Error ? error.message : error}`,
        );
      }
    }
  }
}

/** One line of the log, with its line feed. The time is local, as in Redis. */
export function formatLine(pid: number, at: Date, level: LogLevel, text: string): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${two(at.getDate())} ${MONTHS[at.getMonth()]} ${at.getFullYear()}`;
  const millis = String(at.getMilliseconds()).padStart(3, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${millis}`;
  return `${pid}:X ${day} ${time} ${MARKS[level]} ${oneLine(text)}\n`;
}

/** A line for the journal, which knows pid and time by itself, and takes the level as syslog(3) numbers it. */
export function journalLine(level: LogLevel, text: string): string {
  return `<${PRIORITIES[level]}>${MARKS[level]} ${oneLine(text)}\n`;
}

/** Text from outside must not be able to forge a line of its own, nor to steer a terminal. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const plain = text.replace(/[\u0000-\u001f\u007f]/g, ' ');
  return plain.length > LINE_MAX_chars ? `${plain.slice(0, LINE_MAX_chars)} ...` : plain;
}
