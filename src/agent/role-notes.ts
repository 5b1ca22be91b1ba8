/**
 * A keeper's changes of state, for the history. At every start and every failover a Redis stands aside for some
 * milliseconds until it is known who it is: that is no news unless it lasts. What came of it is.
 */
import type { KeeperState } from '../keeper/core/io.js';
import type { HistoryEntry } from './view.js';

type Note = Pick<HistoryEntry, 'what' | 'text'>;

interface Change {
  readonly state: KeeperState;
  readonly from: KeeperState;
  readonly reason: string;
}

const PASSES_WITHIN_MS = 2_000;

export class RoleNotes {
  readonly #note: (note: Note) => void;
  /** In their order, none of them told. */
  #passing: readonly Change[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(note: (note: Note) => void) {
    this.#note = note;
  }

  became(change: Change): void {
    const [first] = this.#passing;
    if (isAside(change.state) && (first !== undefined || change.from === 'replica' || change.from === 'starting')) {
      this.#passing = [...this.#passing, change];
      this.#timer ??= setTimeout(() => this.stop(), PASSES_WITHIN_MS).unref();
      return;
    }
    if (first !== undefined && (change.state === 'replica' || change.state === 'master')) {
      this.#forget();
      if (first.from !== change.state) this.#tell({ ...change, from: first.from });
      return;
    }
    this.stop();
    this.#tell(change);
  }

  /** What waits is told. */
  stop(): void {
    const told = this.#passing;
    this.#forget();
    for (const change of told) this.#tell(change);
  }

  #tell({ state, from, reason }: Change): void {
    this.#note({ what: state === 'fenced' ? 'fence' : 'role', text: `${from} -> ${state}: ${reason}` });
  }

  #forget(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#passing = [];
  }
}

function isAside(state: KeeperState): boolean {
  return state === 'quarantined' || state === 'fenced';
}
