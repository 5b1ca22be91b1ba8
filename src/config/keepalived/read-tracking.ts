/** vrrp_script, track_file, vrrp_track_process. */
import type { Diagnostics } from './diagnostics.js';
import type { TrackFile, TrackProcess, VrrpScript } from './model.js';
import { weightWord } from './read-common.js';
import type { Statement } from './tree.js';
import { readBlock, splitCommand, type Unhandled, type WordTable } from './values.js';

const NOTHING: Unhandled = { harmless: new Set(), reasons: new Map() };

const SCRIPT: WordTable<VrrpScript> = {
  script: (t, s) => {
    const words = s.all();
    const [first] = words;
    if (first === undefined) {
      s.diagnostics.error(s.place, 'script names no program');
      return;
    }
    // Quoted, the first word is a command line; unquoted, all words are.
    const argv = [...(first.quoted ? splitCommand(first.text) : [first.text]), ...words.slice(1).map((w) => w.text)];
    if (argv.length > 0 && argv[0] !== '') t.command = { argv, user: t.command?.user ?? null, place: first.place };
  },
  interval: (t, s) => {
    t.interval_ms = s.seconds(0.1, 4294) ?? t.interval_ms;
  },
  timeout: (t, s) => {
    t.timeout_ms = s.seconds(0.1, 4294) ?? t.timeout_ms;
  },
  weight: weightWord<VrrpScript>(253),
  rise: (t, s) => {
    t.rise = s.integer(1, 2_147_483_647) ?? t.rise;
  },
  fall: (t, s) => {
    t.fall = s.integer(1, 2_147_483_647) ?? t.fall;
  },
  user: (t, s) => {
    const user = s.word() === null ? null : s.user(1);
    if (user === null) return;
    t.command = { argv: t.command?.argv ?? [], place: t.command?.place ?? s.place, user };
  },
  init_fail: (t) => {
    t.initFail = true;
  },
};

export function readScript(name: string, block: Statement, diagnostics: Diagnostics): VrrpScript | null {
  const place = block.words[0]?.place ?? { file: '?', line: 0, column: 0 };
  const script: VrrpScript = {
    name,
    command: null,
    interval_ms: 1000,
    timeout_ms: null,
    weight: 0,
    reverse: false,
    rise: 1,
    fall: 1,
    initFail: false,
    place,
  };
  readBlock(`vrrp_script ${name}`, block.block ?? [], SCRIPT, new Set(), NOTHING, script, diagnostics);
  if (script.command !== null && script.command.argv.length > 0) return script;
  diagnostics.error(place, `vrrp_script ${name} has no script: removed`);
  return null;
}

const FILE: WordTable<TrackFile> = {
  file: (t, s) => {
    t.path = s.text();
  },
  weight: weightWord<TrackFile>(2_147_483_647),
  init_file: (t, s) => {
    const init = { value: 0, overwrite: false };
    for (const word of s.all()) {
      if (word.text === 'overwrite') init.overwrite = true;
      else if (/^[+-]?\d+$/.test(word.text)) init.value = Number(word.text);
      else s.diagnostics.error(word.place, `init_file: expected a number or overwrite, found ${word.text}`);
    }
    t.init = init;
  },
};

export function readFile(name: string, block: Statement, diagnostics: Diagnostics): TrackFile | null {
  const place = block.words[0]?.place ?? { file: '?', line: 0, column: 0 };
  const file: TrackFile = { name, path: null, weight: 1, reverse: false, init: null, place };
  readBlock(`track_file ${name}`, block.block ?? [], FILE, new Set(), NOTHING, file, diagnostics);
  if (file.path !== null) return file;
  diagnostics.error(place, `track_file ${name} has no file: removed`);
  return null;
}

const PROCESS: WordTable<TrackProcess> = {
  process: (t, s) => {
    t.argv = s.all().map((w) => w.text);
  },
  param_match: (t, s) => {
    const word = s.word();
    if (word?.text === 'initial' || word?.text === 'partial') t.match = word.text;
    else if (word !== null)
      s.diagnostics.error(word.place, `param_match: expected initial or partial, found ${word.text}`);
  },
  weight: weightWord<TrackProcess>(254),
  quorum: (t, s) => {
    t.quorum = s.integer(1, 65_535) ?? t.quorum;
  },
  quorum_max: (t, s) => {
    t.quorumMax = s.integer(0, 65_535);
  },
  fork_delay: (t, s) => {
    t.forkDelay_ms = s.seconds(0, 3600) ?? t.forkDelay_ms;
  },
  terminate_delay: (t, s) => {
    t.terminateDelay_ms = s.seconds(0, 3600) ?? t.terminateDelay_ms;
  },
  delay: (t, s) => {
    t.forkDelay_ms = s.seconds(0, 3600) ?? t.forkDelay_ms;
    t.terminateDelay_ms = t.forkDelay_ms;
  },
  full_command: (t) => {
    t.fullCommand = true;
  },
};

export function readProcess(name: string, block: Statement, diagnostics: Diagnostics): TrackProcess | null {
  const place = block.words[0]?.place ?? { file: '?', line: 0, column: 0 };
  const process: TrackProcess = {
    name,
    argv: [],
    match: 'exact',
    weight: 1,
    reverse: false,
    quorum: 1,
    quorumMax: null,
    forkDelay_ms: 0,
    terminateDelay_ms: 0,
    fullCommand: false,
    place,
  };
  readBlock(`vrrp_track_process ${name}`, block.block ?? [], PROCESS, new Set(), NOTHING, process, diagnostics);
  if (process.argv.length > 0) return process;
  diagnostics.error(place, `vrrp_track_process ${name} has no process: removed`);
  return null;
}
