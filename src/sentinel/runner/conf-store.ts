/** The configuration file as the place where the state is kept: rewritten synchronously, since a vote waits for it. */
import { type Stats, statSync } from 'node:fs';
import { type WriteManner, writeFileAtomic } from '../../config/atomic-file.js';
import { loadConfFile } from '../../config/conf-files.js';
import { type ConfDocument, printConfBytes } from '../../config/conf-lines.js';
import type { UserConf } from '../../config/sentinel-conf.js';
import { rewriteSentinelConf, type SettingChange } from '../../config/sentinel-rewrite.js';
import type { SentinelState } from '../../config/sentinel-types.js';
import type { LogLevel } from '../core/io.js';

export interface StoreHooks {
  readonly log: (level: LogLevel, text: string) => void;
  readonly write?: (path: string, content: Uint8Array) => WriteManner;
}

export class ConfStore {
  readonly #path: string;
  readonly #hooks: StoreHooks;
  #toldInPlace = false;
  #doc: ConfDocument;
  /** What the file looked like after our last write; null before, and after a failed one. */
  #written: Stats | null = null;
  #users: readonly UserConf[] | null = null;
  readonly #settings = new Map<string, SettingChange>();

  /** @param path absolute @param doc the file as it was read @param hooks `write`: other than `writeFileAtomic` only in tests */
  constructor(path: string, doc: ConfDocument, hooks: StoreHooks) {
    this.#path = path;
    this.#doc = doc;
    this.#hooks = hooks;
  }

  /** From the next `save` on, the file's `user` lines are these. */
  setUsers(users: readonly UserConf[]): void {
    this.#users = users;
  }

  /** From the next `save` on, a directive such as `loglevel` has this value. */
  setSetting(name: string, value: string): void {
    this.#settings.set(name, { name, args: [value] });
  }

  /**
   * Makes the state durable. What was changed in the file by hand meanwhile (comments, order) is kept.
   * @throws {ConfigFileError} when it could not be written
   */
  save(snapshot: SentinelState): void {
    const before = this.#current();
    const settings = [...this.#settings.values()];
    const after = rewriteSentinelConf(before, { state: snapshot, settings, users: this.#users });
    const bytes = printConfBytes(after);
    if (this.#written !== null && before === this.#doc && Buffer.compare(bytes, printConfBytes(before)) === 0) return;
    this.#written = null;
    this.#tellManner((this.#hooks.write ?? writeFileAtomic)(this.#path, bytes));
    this.#doc = after;
    this.#written = statSync(this.#path, { throwIfNoEntry: false }) ?? null;
  }

  #tellManner(manner: WriteManner): void {
    if (manner === 'replaced' || this.#toldInPlace) return;
    this.#toldInPlace = true;
    this.#hooks.log(
      'warning',
      `${this.#path} cannot be replaced by renaming (is it a mount point of its own?) and is overwritten in place: ` +
        'a crash of this host in the middle of a write would damage it. Mount its directory instead',
    );
  }

  /** The file as it stands: read again unless it is still what we wrote. A file that is gone is written anew. */
  #current(): ConfDocument {
    const now = statSync(this.#path, { throwIfNoEntry: false });
    if (now === undefined) {
      this.#written = null;
      return this.#doc;
    }
    if (this.#written !== null && isSame(this.#written, now)) return this.#doc;
    this.#written = null;
    return loadConfFile(this.#path);
  }
}

function isSame(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.size === b.size;
}
