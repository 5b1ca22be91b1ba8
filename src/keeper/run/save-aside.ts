/**
 * Puts the data set aside, before it is given up for another's. Redis writes a dump as it always does, and that file gets
 * a second name: Redis never writes into a dump, it replaces it, so the second name keeps what is there now, and at no
 * cost until the next dump.
 */
import { COPYFILE_FICLONE } from 'node:constants';
import { copyFile, cp, link, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { errorText } from '../../base/error-text.js';
import { systemCode } from '../../config/atomic-file.js';
import { ErrorReply, type Reply } from '../../redis/reply.js';

export interface SaveAsideOptions {
  readonly group: string;
  /** Redis's working directory: `saved/` is made in it. */
  readonly directory: string;
  /** Asks our Redis. @throws (rejects) without an answer in time */
  readonly ask: (args: readonly string[], deadline_ms: number) => Promise<Reply>;
  /** Without a process its files are copied. */
  readonly isRunning: () => boolean;
  /** How many are kept; the oldest go. Default 5. */
  readonly keep?: number;
  /** From the order to the finished dump. Default 30 min. */
  readonly deadline_ms?: number;
}

/** It could not be done, and why: for the operator. */
export class SaveAsideError extends Error {
  override readonly name = 'SaveAsideError';
  readonly code = 'ERR_SAVE_ASIDE';
}

const KEEP = 5;
const DEADLINE_ms = 30 * 60_000;
const INFO_ms = 5_000;
/** Forking a process with a large memory takes its time. */
const FORK_ms = 30_000;
const LOOK_first_ms = 5;
const LOOK_max_ms = 250;

export class SaveAside {
  readonly #options: SaveAsideOptions;
  #running: Promise<string> | null = null;

  constructor(options: SaveAsideOptions) {
    this.#options = options;
  }

  /**
   * A second call while one is under way gets the result of the first.
   * @returns the path of the dump, on disk; of a Redis that does not run, the directory with copies of its files
   * @throws {SaveAsideError} (rejects) when there is no room, Redis could not write, or it took too long
   */
  save(): Promise<string> {
    this.#running ??= this.#save().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #save(): Promise<string> {
    try {
      const folder = join(this.#options.directory, 'saved');
      await mkdir(folder, { recursive: true, mode: 0o750 });
      const path = this.#options.isRunning() ? await this.#dump(folder) : await this.#copyFiles(folder);
      await syncPath(folder);
      await this.#removeOldest(folder);
      return path;
    } catch (error) {
      if (error instanceof SaveAsideError) throw error;
      throw new SaveAsideError(errorText(error));
    }
  }

  async #dump(folder: string): Promise<string> {
    const deadline = performance.now() + (this.#options.deadline_ms ?? DEADLINE_ms);
    const dump = join(await this.#config('dir'), await this.#config('dbfilename'));
    const before = await stat(dump).catch(() => null);
    await this.#checkRoom(folder, before?.size ?? 0);
    // A dump that is being written began before now: it may lack the last writes.
    await this.#until(
      (info) => isOff(info, 'rdb_bgsave_in_progress') && isOff(info, 'aof_rewrite_in_progress'),
      deadline,
    );
    const offset = field(await this.#info('replication'), 'master_repl_offset') ?? '0';
    const order = await this.#options.ask(['BGSAVE'], FORK_ms);
    if (order instanceof ErrorReply) throw new SaveAsideError(`BGSAVE: ${order.message}`);
    const info = await this.#until((text) => isOff(text, 'rdb_bgsave_in_progress'), deadline);
    const status = field(info, 'rdb_last_bgsave_status');
    if (status !== 'ok') throw new SaveAsideError(`Redis could not write ${dump} (status ${status}): see its log`);
    const after = await stat(dump);
    if (before !== null && after.ino === before.ino && after.mtimeMs === before.mtimeMs) {
      throw new SaveAsideError(`${dump} is not the dump that was just written`);
    }
    const path = join(folder, `${this.#name(offset)}.rdb`);
    await nameTwice(dump, path);
    await syncPath(path);
    return path;
  }

  /** Nothing runs, so nothing changes while it is copied; but it will be written to again, so names are not enough. */
  async #copyFiles(folder: string): Promise<string> {
    const { directory } = this.#options;
    const entries = await readdir(directory, { withFileTypes: true });
    const wanted = entries.filter((entry) =>
      entry.isDirectory() ? /^append.*dir$/.test(entry.name) : /^(?!temp-).*\.(rdb|aof)$/.test(entry.name),
    );
    if (wanted.length === 0) throw new SaveAsideError(`there is no dump and no append-only file in ${directory}`);
    const path = join(folder, `${this.#name('0')}.files`);
    const partial = `${path}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { mode: 0o750 });
    for (const { name } of wanted) {
      await cp(join(directory, name), join(partial, name), { recursive: true, mode: COPYFILE_FICLONE });
    }
    await syncAll(partial);
    await rename(partial, path);
    return path;
  }

  /** Sorted by name they are sorted by age. */
  #name(offset: string): string {
    return `${this.#options.group}-${new Date().toISOString().replace(/[-:]/g, '')}-${offset}`;
  }

  async #removeOldest(folder: string): Promise<void> {
    const { group, keep = KEEP } = this.#options;
    const names = (await readdir(folder)).filter((name) => {
      return (
        name.startsWith(`${group}-`) && /^\d{8}T\d{6}\.\d{3}Z-\d+\.(rdb|files)$/.test(name.slice(group.length + 1))
      );
    });
    const old = names.sort().slice(0, -Math.max(1, keep));
    for (const name of old) await rm(join(folder, name), { recursive: true, force: true });
  }

  /** The last dump tells best how large the next will be; without one a quarter of the memory is a careful guess. */
  async #checkRoom(folder: string, lastDump_bytes: number): Promise<void> {
    const dataset_bytes = Number(field(await this.#info('memory'), 'used_memory_dataset') ?? 0);
    const needed_bytes = Math.max(lastDump_bytes, dataset_bytes / 4);
    const { bavail, bsize } = await statfs(folder);
    const free_bytes = bavail * bsize;
    if (free_bytes >= needed_bytes) return;
    const [free, needed] = [free_bytes, needed_bytes].map((bytes) => `${Math.ceil(bytes / 1024)} KiB`);
    throw new SaveAsideError(`${folder} has ${free} left, and the dump may need ${needed}: make room there`);
  }

  async #config(name: string): Promise<string> {
    const reply = await this.#options.ask(['CONFIG', 'GET', name], INFO_ms);
    if (reply instanceof ErrorReply) throw new SaveAsideError(`CONFIG GET ${name}: ${reply.message}`);
    const value = Array.isArray(reply) ? reply[1] : null;
    if (typeof value !== 'string' || value === '') throw new SaveAsideError(`Redis does not tell its ${name}`);
    return value;
  }

  async #info(section: string): Promise<string> {
    const reply = await this.#options.ask(['INFO', section], INFO_ms);
    if (typeof reply !== 'string') throw new SaveAsideError(`INFO ${section}: ${message(reply)}`);
    return reply;
  }

  async #until(holds: (persistence: string) => boolean, deadline: number): Promise<string> {
    for (let wait_ms = LOOK_first_ms; ; wait_ms = Math.min(LOOK_max_ms, wait_ms * 2)) {
      const info = await this.#info('persistence');
      if (holds(info)) return info;
      if (performance.now() >= deadline) throw new SaveAsideError('Redis did not finish writing in time');
      await pause(wait_ms);
    }
  }
}

function message(reply: Reply): string {
  return reply instanceof ErrorReply ? reply.message : 'an odd answer';
}

function field(info: string, name: string): string | null {
  return new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info)?.[1] ?? null;
}

function isOff(info: string, name: string): boolean {
  return field(info, name) === '0';
}

/** A second name; a copy where the directory is on another disk, or the file is somebody else's. */
async function nameTwice(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP'].includes(systemCode(error))) throw error;
    const partial = `${to}.partial`;
    try {
      await copyFile(from, partial, COPYFILE_FICLONE);
      await syncPath(partial);
      await rename(partial, to);
    } finally {
      await rm(partial, { force: true });
    }
  }
}

async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncAll(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncAll(path);
    else await syncPath(path);
  }
  await syncPath(folder);
}
