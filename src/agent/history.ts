/**
 * What happened on this host, as `tanist history` and `/events` tell it: the newest entries in memory, and on the disk as
 * JSON lines in the state directory, so that they survive a restart. Writing is never waited for: a disk that hangs must
 * not cost a lease.
 */
import { appendFile, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '../base/error-text.js';
import type { Log } from '../observe/log.js';
import { RateLimit } from '../observe/rate-limit.js';
import type { HistoryEntry } from './view.js';

/** In the state directory; the one before it has `.1` at its end. */
export const HISTORY_FILE = 'history.jsonl';
const KEPT_MAX = 1_000;
const FILE_MAX_bytes = 1024 * 1024;
const TEXT_MAX_chars = 1_000;
/** Lines that wait for the disk. */
const UNWRITTEN_MAX = 1_000;
const COMPLAINT_PERIOD_ms = 60_000;

const WHATS: Readonly<Record<HistoryEntry['what'], true>> = {
  failover: true,
  switchover: true,
  role: true,
  vip: true,
  fence: true,
  saved: true,
  pause: true,
  resume: true,
  config: true,
  hook: true,
};

export interface HistoryOptions {
  /** The state directory; it exists. */
  readonly directory: string;
  readonly log: Pick<Log, 'write'>;
  /** How many entries are kept in memory. */
  readonly keptMax?: number;
  /** A larger file is put aside as `.1`, in place of the one before it. */
  readonly fileMax_bytes?: number;
}

export class History {
  readonly #path: string;
  readonly #log: Pick<Log, 'write'>;
  readonly #keptMax: number;
  readonly #fileMax_bytes: number;
  readonly #listeners = new Set<(entry: HistoryEntry) => void>();
  readonly #complaints = new RateLimit(COMPLAINT_PERIOD_ms);
  #kept: HistoryEntry[] = [];
  #unwritten: string[] = [];
  #writing: Promise<void> | null = null;
  #size_bytes = 0;

  private constructor(options: HistoryOptions) {
    this.#path = join(options.directory, HISTORY_FILE);
    this.#log = options.log;
    this.#keptMax = options.keptMax ?? KEPT_MAX;
    this.#fileMax_bytes = options.fileMax_bytes ?? FILE_MAX_bytes;
  }

  /** Reads what is kept. What cannot be read is left out and logged: history is told, never decided upon. */
  static async open(options: HistoryOptions): Promise<History> {
    const history = new History(options);
    await history.#load();
    return history;
  }

  /** Notes what happened, tells the listeners, and writes it in the background. */
  add(entry: Omit<HistoryEntry, 'id'>): HistoryEntry {
    // The clock makes an id that is new even when the file was lost; the last one, when the clock was set back.
    const id = Math.max((this.#kept.at(-1)?.id ?? 0) + 1, Date.now());
    const noted: HistoryEntry = { ...entry, id, text: entry.text.slice(0, TEXT_MAX_chars) };
    this.#kept.push(noted);
    if (this.#kept.length > this.#keptMax) this.#kept.shift();
    this.#unwritten.push(`${JSON.stringify(noted)}\n`);
    if (this.#unwritten.length > UNWRITTEN_MAX) this.#unwritten.shift();
    this.#writing ??= this.#write();
    for (const listener of this.#listeners) listener(noted);
    return noted;
  }

  /** The newest entries, the oldest of them first. @param group null: of every group; one's own include those of no group */
  list(group: string | null, limit: number): readonly HistoryEntry[] {
    return this.#kept.filter((entry) => group === null || entry.group === group || entry.group === '').slice(-limit);
  }

  /** @returns what ends the calls */
  subscribe(listener: (entry: HistoryEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Waits until everything is written, or could not be. */
  async flush(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async #load(): Promise<void> {
    const before = await this.#tail(`${this.#path}.1`);
    const now = await this.#tail(this.#path);
    const lines = `${before}\n${now}`.split('\n').filter((line) => line !== '');
    const entries = lines.map(readEntry);
    this.#kept = inOrder(entries.filter((entry) => entry !== null)).slice(-this.#keptMax);
    const broken = entries.length - entries.filter((entry) => entry !== null).length;
    if (broken > 0) this.#log.write('notice', `${this.#path}: ${broken} lines cannot be read and are left out`);
    // The end of a line that a crash has cut off must not swallow the next one.
    if (now !== '' && !now.endsWith('\n')) this.#unwritten.push('\n');
    this.#size_bytes = (await stat(this.#path).catch(() => null))?.size ?? 0;
  }

  /** The end of a file, from the first whole line on; empty when there is none. */
  async #tail(path: string): Promise<string> {
    try {
      const file = await open(path, 'r');
      try {
        const { size } = await file.stat();
        const start = Math.max(0, size - 2 * this.#fileMax_bytes);
        const buffer = Buffer.alloc(size - start);
        const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
        const text = buffer.toString('utf8', 0, bytesRead);
        return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (!isAbsent(error)) this.#log.write('warning', `the history before this start is lost: ${errorText(error)}`);
      return '';
    }
  }

  async #write(): Promise<void> {
    // Others may add in the same turn: one write for all of them.
    await Promise.resolve();
    while (this.#unwritten.length > 0) {
      const text = this.#unwritten.join('');
      this.#unwritten = [];
      try {
        if (this.#size_bytes > 0 && this.#size_bytes + text.length > this.#fileMax_bytes) {
          await rename(this.#path, `${this.#path}.1`);
          this.#size_bytes = 0;
        }
        await appendFile(this.#path, text, { mode: 0o600 });
        this.#size_bytes += Buffer.byteLength(text);
      } catch (error) {
        if (this.#complaints.passes(performance.now())) {
          this.#log.write('warning', `the history is kept in memory only: ${errorText(error)}`);
        }
      }
    }
    this.#writing = null;
  }
}

/** An entry from its line; null when the line is broken or of another kind. */
export function readEntry(line: string): HistoryEntry | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { id, at, group, host, epoch, what, text }: Record<string, unknown> = { ...value };
  const whole = (each: unknown): each is number => typeof each === 'number' && Number.isSafeInteger(each) && each >= 0;
  if (!whole(id) || !whole(epoch) || !isWhat(what)) return null;
  if (typeof at !== 'string' || typeof group !== 'string' || typeof host !== 'string' || typeof text !== 'string') {
    return null;
  }
  return { id, at, group, host, epoch, what, text };
}

function isWhat(value: unknown): value is HistoryEntry['what'] {
  return typeof value === 'string' && Object.hasOwn(WHATS, value);
}

/** A file that was put together by hand may repeat itself. */
function inOrder(entries: readonly HistoryEntry[]): HistoryEntry[] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  return [...byId.values()].sort((a, b) => a.id - b.id);
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
