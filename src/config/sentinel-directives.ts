/** The options of `sentinel …`: arity, stage of loading, check, and the field that each sets. */
import type { ConfWord } from './conf-words.js';
import { exactly, type LineReader } from './line-reader.js';
import { MASTER_OPTIONS } from './master-options.js';
import {
  checkHost,
  EPOCH_MAX,
  type MasterDraft,
  RUN_ID,
  type SentinelDirective,
  type StateDraft,
} from './sentinel-draft.js';
import { MASTER_CONF_DEFAULTS } from './sentinel-types.js';

/** What a value changes. */
type Patch = Partial<StateDraft>;

function globalOption(
  usage: string,
  apply: (draft: StateDraft, word: ConfWord, reader: LineReader) => void,
  secret = false,
): SentinelDirective {
  return {
    stage: 'global',
    arity: exactly(1),
    usage,
    secret,
    apply: (draft, args, reader) => {
      const [word] = args;
      if (word !== undefined) apply(draft, word, reader);
    },
  };
}

function globalFlag(put: (value: boolean) => Patch): SentinelDirective {
  return globalOption('yes|no', (draft, word, reader) => {
    const value = reader.yesNo(word, 'the value');
    if (value !== null) Object.assign(draft, put(value));
  });
}

const monitor: SentinelDirective = {
  stage: 'monitor',
  arity: exactly(4),
  usage: '<name> <host> <port> <quorum>',
  secret: false,
  apply: (draft, args, reader) => {
    const [name, host, port, quorum] = args;
    if (name === undefined || host === undefined || port === undefined || quorum === undefined) return;
    const before = reader.problems.count;
    checkMasterName(name, reader);
    if (draft.masters.has(name.text)) {
      reader.fail(name, 'duplicate master name', 'give each master its own name, or remove one of the lines');
      return;
    }
    checkHost(draft, host, reader);
    const portNumber = reader.integer(port, 0, 65_535, 'the port');
    const quorumNumber = reader.integer(quorum, 1, 2_147_483_647, 'the quorum');
    if (reader.problems.count > before || portNumber === null || quorumNumber === null) {
      draft.refusedMasters.add(name.text);
      return;
    }
    draft.masters.set(name.text, newMaster(name.text, host.text, portNumber, quorumNumber));
  },
};

function newMaster(name: string, host: string, port: number, quorum: number): MasterDraft {
  const lists = { renamedCommands: new Map<string, string>(), replicas: [], sentinels: [] };
  return { ...MASTER_CONF_DEFAULTS, ...lists, votedEpoch: 0, name, host, port, quorum };
}

function checkMasterName(word: ConfWord, reader: LineReader): void {
  if (/^[A-Za-z0-9._-]+$/.test(word.text)) return;
  if (/^[\x21-\x7e]+$/.test(word.text)) {
    reader.note(word, 'SENTINEL MONITOR would refuse this master name: use letters, digits, ".", "-" and "_"');
  } else reader.fail(word, 'a master name has no spaces or control characters', 'letters, digits, ".", "-" and "_"');
}

/** By lower-case option name. */
export const SENTINEL_DIRECTIVES: ReadonlyMap<string, SentinelDirective> = new Map<string, SentinelDirective>([
  ['monitor', monitor],
  [
    'myid',
    globalOption('<40 hexadecimal characters>', (draft, word, reader) => {
      if (RUN_ID.test(word.text)) draft.myId = word.text;
      else reader.fail(word, 'malformed Sentinel id', '40 hexadecimal characters; without the line a new id is made');
    }),
  ],
  [
    'current-epoch',
    globalOption('<epoch>', (draft, word, reader) => {
      const epoch = reader.integer(word, 0, EPOCH_MAX, 'the epoch');
      if (epoch !== null) draft.currentEpoch = Math.max(epoch, draft.currentEpoch);
    }),
  ],
  [
    'announce-ip',
    globalOption('<address>', (draft, word) => Object.assign(draft, { announceIp: word.text } satisfies Patch)),
  ],
  [
    'announce-port',
    globalOption('<port>', (draft, word, reader) => {
      const port = reader.integer(word, 0, 65_535, 'the port');
      if (port !== null) draft.announcePort = port;
    }),
  ],
  ['resolve-hostnames', globalFlag((value) => ({ resolveHostnames: value }))],
  ['announce-hostnames', globalFlag((value) => ({ announceHostnames: value }))],
  ['deny-scripts-reconfig', globalFlag((value) => ({ denyScriptsReconfig: value }))],
  [
    'sentinel-user',
    globalOption('<user>', (draft, word) => Object.assign(draft, { sentinelUser: word.text } satisfies Patch)),
  ],
  [
    'sentinel-pass',
    globalOption(
      '<password>',
      (draft, word) => Object.assign(draft, { sentinelPass: word.text } satisfies Patch),
      true,
    ),
  ],
  ...MASTER_OPTIONS,
]);
