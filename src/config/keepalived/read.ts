/** keepalived.conf, read whole: every fault is reported, and what remains is usable. */
import { type Diagnostic, Diagnostics } from './diagnostics.js';
import { type LineOptions, readLines } from './lines.js';
import type { KeepalivedConf, SyncGroup, TrackFile, TrackProcess, VrrpInstance, VrrpScript } from './model.js';
import { defaultGlobals, readGlobals } from './read-global.js';
import { readGroup, readInstance } from './read-instance.js';
import { readFile, readProcess, readScript } from './read-tracking.js';
import { parseTree, type Statement, suggestion } from './tree.js';
import { FOREIGN_BLOCKS, TOP_BLOCKS, UNHANDLED_TOP } from './words.js';

export type { Diagnostic } from './diagnostics.js';
export { exitCodeOf, formatDiagnostic } from './diagnostics.js';

export interface ReadResult {
  readonly conf: KeepalivedConf;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads `path` and what it includes (keepalived.conf(5)). Never throws for what is in the file: a file that cannot be
 * read gives a `fatal` diagnostic and an empty configuration.
 */
export function readKeepalivedConf(path: string, options: LineOptions = {}): ReadResult {
  const diagnostics = new Diagnostics();
  const reader = new ConfReader(path, diagnostics);
  for (const statement of parseTree(readLines(path, options, diagnostics), diagnostics)) reader.statement(statement);
  return { conf: reader.conf, diagnostics: diagnostics.list };
}

class ConfReader {
  readonly conf: KeepalivedConf;
  readonly #diagnostics: Diagnostics;
  readonly #scripts = new Map<string, VrrpScript>();
  readonly #files = new Map<string, TrackFile>();
  readonly #processes = new Map<string, TrackProcess>();
  readonly #instances = new Map<string, VrrpInstance>();
  readonly #groups = new Map<string, SyncGroup>();

  constructor(path: string, diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
    this.conf = {
      path,
      globals: defaultGlobals(),
      scripts: this.#scripts,
      files: this.#files,
      processes: this.#processes,
      instances: this.#instances,
      groups: this.#groups,
    };
  }

  statement(statement: Statement): void {
    const [first] = statement.words;
    // A brace that opened nothing has been reported.
    if (first === undefined || first.text === '{') return;
    switch (first.text) {
      case 'global_defs':
        readGlobals(this.conf.globals, statement.block ?? [], this.#diagnostics);
        return;
      case 'vrrp_script':
        this.#named(statement, this.#scripts, readScript);
        return;
      case 'track_file':
      case 'vrrp_track_file':
        this.#named(statement, this.#files, readFile);
        return;
      case 'track_process':
      case 'vrrp_track_process':
        this.#named(statement, this.#processes, readProcess);
        return;
      case 'vrrp_instance':
        this.#named(statement, this.#instances, readInstance);
        return;
      case 'vrrp_sync_group':
        this.#named(statement, this.#groups, readGroup);
        return;
      default:
        this.#other(first.text, statement);
    }
  }

  #named<T>(
    statement: Statement,
    known: Map<string, T>,
    read: (name: string, block: Statement, diagnostics: Diagnostics) => T | null,
  ): void {
    const [first, name] = statement.words;
    if (first === undefined) return;
    if (name === undefined) {
      this.#diagnostics.error(first.place, `${first.text} needs a name: skipped`);
      return;
    }
    if (known.has(name.text)) {
      this.#diagnostics.error(name.place, `${first.text} ${name.text} is written twice: the first one counts`);
      return;
    }
    const value = read(name.text, statement, this.#diagnostics);
    if (value !== null) known.set(name.text, value);
  }

  #other(word: string, statement: Statement): void {
    const place = statement.words[0]?.place ?? { file: this.conf.path, line: 1, column: 1 };
    const foreign = FOREIGN_BLOCKS.get(word);
    if (foreign !== undefined) this.#diagnostics.error(place, `${word}: ${foreign}`);
    else if (UNHANDLED_TOP.has(word)) this.#diagnostics.error(place, `${word} is not handled`);
    else {
      const hint = suggestion(word, [...TOP_BLOCKS, 'include', 'track_file']);
      const rest = statement.block === null ? '' : ', with the block behind it';
      this.#diagnostics.error(place, `unknown word ${word}, ignored${rest}${hint}`);
    }
  }
}
