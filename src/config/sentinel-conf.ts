/**
 * Reads a whole sentinel.conf: every line is checked before anything is used, and all faults are reported together.
 * No file is touched here; what needs the disk is asked of `ReadOptions`.
 */

import type { ConfDocument, DirectiveLine } from './conf-lines.js';
import type { ConfWord } from './conf-words.js';
import { ProblemList } from './config-error.js';
import { IGNORED_DIRECTIVES, SILENTLY_IGNORED } from './ignored-directives.js';
import { type ConfNote, exactly, LineReader } from './line-reader.js';
import { ownDirective } from './own-directives.js';
import { SENTINEL_DIRECTIVES } from './sentinel-directives.js';
import type { MasterDraft, SentinelDirective, Stage, StateDraft } from './sentinel-draft.js';
import { type MasterConf, type SentinelState, STATE_DEFAULTS } from './sentinel-types.js';
import { type FileChecks, SERVER_DIRECTIVES, type SettingsDraft } from './server-directives.js';
import { SERVER_DEFAULTS, type ServerSettings } from './server-settings.js';

/** A `user …` line: rules for `src/redis/acl`, uninterpreted here. */
export interface UserConf {
  readonly name: string;
  readonly rules: readonly string[];
}

export interface SentinelConf {
  readonly server: ServerSettings;
  readonly users: readonly UserConf[];
  readonly sentinel: SentinelState;
  /** Host names that stand in the file although `resolve-hostnames` is off: resolve each once and keep the address. */
  readonly namesToResolve: readonly string[];
  /** What was accepted and may surprise. */
  readonly notes: readonly ConfNote[];
}

export interface ReadOptions extends FileChecks {
  /** What is wrong with a user's rules, or null. */
  readonly checkUser: (name: string, rules: readonly string[]) => string | null;
  /** The files that an `include` names (a path or a pattern), or null when there is none that can be read. */
  readonly include: (pattern: string) => readonly ConfDocument[] | null;
}

/** For a reader that must not touch the disk: every path is taken for good, includes are refused. */
export const NO_CHECKS: ReadOptions = {
  isExecutable: () => true,
  isDirectory: () => true,
  appendFault: () => null,
  checkUser: () => null,
  include: () => null,
};

const INCLUDE_DEPTH_MAX = 16;

/**
 * Reads the file and what overrides it (`<stdin>`, `<command line>`), later documents winning over earlier ones.
 * @throws {ConfigError} with every problem found.
 */
export function readSentinelConf(documents: readonly ConfDocument[], options: ReadOptions): SentinelConf {
  return new Reader(options).read(documents);
}

interface SentinelLine {
  readonly directive: SentinelDirective;
  readonly reader: LineReader;
  readonly args: readonly ConfWord[];
}

class Reader {
  readonly #options: ReadOptions;
  readonly #problems = new ProblemList();
  readonly #notes: ConfNote[] = [];
  readonly #files: string[] = [];
  readonly #settings: SettingsDraft = {
    ...SERVER_DEFAULTS,
    renamedCommands: new Map(),
    tls: { ...SERVER_DEFAULTS.tls },
  };
  readonly #users = new Map<string, UserConf>();
  readonly #sentinelLines: SentinelLine[] = [];
  readonly #state: StateDraft = {
    ...STATE_DEFAULTS,
    masters: new Map(),
    refusedMasters: new Set(),
    namesToResolve: new Set(),
  };

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  read(documents: readonly ConfDocument[]): SentinelConf {
    for (const doc of documents) this.#readDocument(doc, 0);
    for (const stage of ['global', 'monitor', 'master-option'] as const) this.#applyStage(stage);
    this.#checkTls(documents[0]);
    this.#problems.throwIfAny(this.#files);
    return {
      server: this.#settings,
      users: [...this.#users.values()],
      sentinel: finishState(this.#state),
      namesToResolve: [...this.#state.namesToResolve],
      notes: this.#notes,
    };
  }

  #readDocument(doc: ConfDocument, depth: number): void {
    if (!this.#files.includes(doc.file)) this.#files.push(doc.file);
    for (const line of doc.lines) {
      if (line.kind === 'directive') this.#readLine(doc, line, depth);
      else if (line.kind === 'comment') {
        const own = ownDirective(line);
        if (own !== null) this.#readLine(doc, own, depth);
      }
    }
  }

  #readLine(doc: ConfDocument, line: DirectiveLine, depth: number): void {
    const name = line.words[0]?.text.toLowerCase() ?? '';
    const server = SERVER_DIRECTIVES.get(name);
    const secret = server?.secret === true || name === 'user' || isSecretSentinelLine(line) || /auth$|pass/.test(name);
    const reader = new LineReader(doc, line, this.#problems, this.#notes, secret);
    if (line.words.length === 0 && line.fault !== null) reader.fault(line.fault);
    else if (name === 'sentinel') this.#readSentinelLine(reader, depth);
    else if (name === 'user') this.#readUser(reader, depth);
    else if (name === 'include') this.#readInclude(reader, depth);
    else if (server !== undefined) {
      const args = reader.take(1, server.arity, `${name} ${server.usage}`);
      if (args !== null) server.apply(this.#settings, args, reader, this.#options);
    } else readIgnored(reader, name);
  }

  #readSentinelLine(reader: LineReader, depth: number): void {
    const option = reader.line.words[1];
    // A bare `sentinel` is what is left of `redis-server FILE --sentinel`; the original takes it too.
    if (option === undefined && reader.line.fault === null) return;
    if (depth > 0) {
      reader.fail(null, 'a `sentinel` line in an included file', 'move it into the main file, which is rewritten');
      return;
    }
    const name = option?.text.toLowerCase() ?? '';
    const directive = SENTINEL_DIRECTIVES.get(name);
    if (directive === undefined) {
      if (option === undefined && reader.line.fault !== null) reader.fault(reader.line.fault);
      else reader.fail(option ?? null, 'unknown option of `sentinel`', nearest(name, [...SENTINEL_DIRECTIVES.keys()]));
      return;
    }
    const args = reader.take(2, directive.arity, `sentinel ${name} ${directive.usage}`);
    if (args !== null) this.#sentinelLines.push({ directive, reader, args });
  }

  #applyStage(stage: Stage): void {
    for (const { directive, reader, args } of this.#sentinelLines) {
      if (directive.stage === stage) directive.apply(this.#state, args, reader, this.#options);
    }
  }

  #readUser(reader: LineReader, depth: number): void {
    const args = reader.take(1, { min: 1, max: null, comments: false }, 'user <name> [<rule> …]');
    const [name, ...rules] = args ?? [];
    if (name === undefined) return;
    if (depth > 0)
      reader.fail(name, 'a `user` line in an included file', 'move it into the main file, which is rewritten');
    else if (this.#users.has(name.text)) reader.fail(name, 'the user is defined twice', 'join the two lines');
    else {
      const texts = rules.map((word) => word.text);
      const wrong = this.#options.checkUser(name.text, texts);
      if (wrong !== null) reader.fail(name, wrong, 'correct the rule');
      this.#users.set(name.text, { name: name.text, rules: texts });
    }
  }

  #readInclude(reader: LineReader, depth: number): void {
    const [path] = reader.take(1, exactly(1), 'include <path>') ?? [];
    if (path === undefined) return;
    if (depth >= INCLUDE_DEPTH_MAX) {
      reader.fail(
        path,
        'files include each other too deeply',
        `at most ${INCLUDE_DEPTH_MAX} levels; is there a circle?`,
      );
      return;
    }
    const documents = this.#options.include(path.text);
    if (documents === null)
      reader.fail(path, 'the included file cannot be read', 'correct the path, or make it readable');
    else for (const doc of documents) this.#readDocument(doc, depth + 1);
  }

  #checkTls(main: ConfDocument | undefined): void {
    const { tls } = this.#settings;
    if (tls.port === 0 && !tls.replication) return;
    const missing: string[] = [];
    if (tls.certFile === '') missing.push('tls-cert-file');
    if (tls.keyFile === '') missing.push('tls-key-file');
    const needsCa = tls.replication || tls.authClients !== 'no';
    if (needsCa && tls.caCertFile === '' && tls.caCertDir === '') missing.push('tls-ca-cert-file (or tls-ca-cert-dir)');
    if (missing.length === 0) return;
    const message = `TLS is on (${tls.port !== 0 ? 'tls-port' : 'tls-replication'}) without ${missing.join(', ')}`;
    this.#problems.add({
      file: main?.file ?? '',
      line: 0,
      column: 0,
      word: '',
      message,
      fix: 'add them, or turn TLS off',
      source: '',
    });
  }
}

function isSecretSentinelLine(line: DirectiveLine): boolean {
  const [first, option] = line.words;
  if (first?.text.toLowerCase() !== 'sentinel' || option === undefined) return false;
  return SENTINEL_DIRECTIVES.get(option.text.toLowerCase())?.secret === true;
}

function readIgnored(reader: LineReader, name: string): void {
  const arity = IGNORED_DIRECTIVES.get(name);
  if (arity === undefined) {
    const known = [...SERVER_DIRECTIVES.keys(), 'sentinel', 'user', 'include'];
    reader.fail(
      null,
      'unknown directive',
      name.startsWith('\ufeff') ? 'save the file without a byte order mark' : nearest(name, known),
    );
    return;
  }
  const taken = reader.take(1, arity, `${name} <value>`);
  if (taken !== null && !SILENTLY_IGNORED.has(name))
    reader.note(null, `\`${name}\` means nothing to a Sentinel and is ignored`);
}

/** A fix for an unknown word: the known one that differs least, if any is near. */
function nearest(word: string, known: readonly string[]): string {
  let best = '';
  let bestDistance = Math.min(4, Math.floor(word.length / 2) + 1);
  for (const candidate of word.length > 64 ? [] : known) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best === '' ? 'remove the line; docs/sentinel-conf.md lists what can be written' : `did you mean \`${best}\`?`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function finishState(draft: StateDraft): SentinelState {
  const { masters, refusedMasters: _refused, namesToResolve: _names, ...globals } = draft;
  const finished = [...masters.values()].map(finishMaster);
  // A configuration can be no newer than the epoch: the original lifts the epoch in the same way.
  const currentEpoch = finished.reduce((epoch, master) => Math.max(epoch, master.configEpoch), globals.currentEpoch);
  return { ...globals, currentEpoch, masters: finished };
}

function finishMaster(draft: MasterDraft): MasterConf {
  const { votedEpoch, votedLeader, renamedCommands, ...rest } = draft;
  return {
    ...rest,
    // Another Sentinel may have written a later leader-epoch and left our comment as it was: then the vote is unknown.
    votedLeader: votedEpoch === draft.leaderEpoch ? votedLeader : '',
    renamedCommands: Object.fromEntries(renamedCommands),
  };
}
