/**
 * A keeper's changes of state, for the history. At every failover each replica stands aside for some milliseconds, until it
 * is compared with its new master: that is no news unless it lasts.
 */
import type { KeeperState } from '../keeper/core/io.js';
import type { HistoryEntry } from './view.js';

type Note = Pick<HistoryEntry, 'what' | 'text'>;

const PASSES_WITHIN_MS = 2_000;

export class RoleNotes {
  readonly #note: (note: Note) => void;
  #waiting: { readonly note: Note; readonly timer: NodeJS.Timeout } | null = null;

  constructor(note: (note: Note) => void) {
    this.#note = note;
  }

  became(state: KeeperState, from: KeeperState, note: Note): void {
    if (this.#waiting !== null && state === 'replica') return this.#drop();
    this.#tell();
    if (state !== 'quarantined' || from !== 'replica') return this.#note(note);
    const timer = setTimeout(() => this.#tell(), PASSES_WITHIN_MS);
    timer.unref();
    this.#waiting = { note, timer };
  }

  /** What waits is told. */
  stop(): void {
    this.#tell();
  }

  #tell(): void {
    const { note } = this.#waiting ?? {};
    this.#drop();
    if (note !== undefined) this.#note(note);
  }

  #drop(): void {
    if (this.#waiting !== null) clearTimeout(this.#waiting.timer);
    this.#waiting = null;
  }
}
