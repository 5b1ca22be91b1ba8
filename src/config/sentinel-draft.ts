/** The state of a reader of `sentinel …` lines, and the checks that several options share. */
import { isIP } from 'node:net';
import type { ConfWord } from './conf-words.js';
import type { Arity, LineReader } from './line-reader.js';
import type { MasterConf, SentinelState } from './sentinel-types.js';
import type { FileChecks } from './server-directives.js';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A master while its lines are being read. */
export type MasterDraft = Writable<Omit<MasterConf, 'renamedCommands' | 'replicas' | 'sentinels'>> & {
  renamedCommands: Map<string, string>;
  replicas: { host: string; port: number }[];
  sentinels: { host: string; port: number; runId: string }[];
  /** The epoch that a `voted-leader` line belongs to. */
  votedEpoch: number;
};

export interface StateDraft extends Writable<Omit<SentinelState, 'masters'>> {
  masters: Map<string, MasterDraft>;
  /** Names whose `monitor` line was refused: their options must not be reported as well. */
  refusedMasters: Set<string>;
  /** Host names in the file although `resolve-hostnames` is off. */
  namesToResolve: Set<string>;
}

/** Settings of the whole Sentinel are read first, then the masters, then their options: the file's order is free. */
export type Stage = 'global' | 'monitor' | 'master-option';

export interface SentinelDirective {
  readonly stage: Stage;
  /** Arguments after `sentinel <option>`. */
  readonly arity: Arity;
  readonly usage: string;
  readonly secret: boolean;
  readonly apply: (draft: StateDraft, args: readonly ConfWord[], reader: LineReader, checks: FileChecks) => void;
}

/** The largest epoch that a JavaScript number counts exactly. */
export const EPOCH_MAX = Number.MAX_SAFE_INTEGER;
export const RUN_ID = /^[0-9a-fA-F]{40}$/;

/** Reports a host that can be neither an address nor a name; remembers names that nobody was told to resolve. */
export function checkHost(draft: StateDraft, word: ConfWord, reader: LineReader): void {
  if (isIP(word.text) !== 0) return;
  if (!/^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?$/.test(word.text) || word.text.length > 253) {
    reader.fail(word, 'neither an IP address nor a host name', 'write an address such as 192.0.2.7');
  } else if (/^[0-9.]+$/.test(word.text)) {
    reader.fail(word, 'not an IPv4 address', 'four numbers from 0 to 255');
  } else if (!draft.resolveHostnames) {
    draft.namesToResolve.add(word.text);
    reader.note(word, 'resolve-hostnames is off: this name is resolved once, at the start, and its address is kept');
  }
}
