/** The `sentinel <option> <master> …` lines. */
import type { ConfWord } from './conf-words.js';
import { type Arity, exactly, type LineReader } from './line-reader.js';
import {
  checkHost,
  EPOCH_MAX,
  type MasterDraft,
  RUN_ID,
  type SentinelDirective,
  type StateDraft,
} from './sentinel-draft.js';
import { LEASE_TTL_MAX_MS } from './sentinel-types.js';
import type { FileChecks } from './server-directives.js';

type ApplyMaster = (
  master: MasterDraft,
  args: readonly ConfWord[],
  reader: LineReader,
  checks: FileChecks,
  draft: StateDraft,
) => void;

/** What a value changes. */
type Patch = Partial<MasterDraft>;

const TIME_MAX_ms = Number.MAX_SAFE_INTEGER;

/** An option with the master's name as its first argument; `apply` gets the arguments after the name. */
function option(usage: string, arity: Arity, apply: ApplyMaster, secret = false): SentinelDirective {
  return {
    stage: 'master-option',
    arity,
    usage: `<name> ${usage}`,
    secret,
    apply: (draft, args, reader, checks) => {
      const [name, ...rest] = args;
      const master = name === undefined ? undefined : draft.masters.get(name.text);
      if (name === undefined) return;
      if (master !== undefined) apply(master, rest, reader, checks, draft);
      else if (!draft.refusedMasters.has(name.text)) {
        const fix = `correct the name, or add \`sentinel monitor ${name.text} <host> <port> <quorum>\``;
        reader.fail(name, 'no such master', reader.secret ? 'correct the name of the master' : fix);
      }
    },
  };
}

function valueOption(
  usage: string,
  apply: (master: MasterDraft, word: ConfWord, reader: LineReader, checks: FileChecks) => void,
  secret = false,
): SentinelDirective {
  const applyFirst: ApplyMaster = (master, args, reader, checks) => {
    const [word] = args;
    if (word !== undefined) apply(master, word, reader, checks);
  };
  return option(usage, exactly(2), applyFirst, secret);
}

function integerOption(usage: string, low: number, high: number, put: (value: number) => Patch): SentinelDirective {
  return valueOption(usage, (master, word, reader) => {
    const value = reader.integer(word, low, high, 'the value');
    if (value !== null) Object.assign(master, put(value));
  });
}

function scriptOption(what: string, put: (path: string) => Patch): SentinelDirective {
  return valueOption('<path>', (master, word, reader, checks) => {
    if (word.text === '' || checks.isExecutable(word.text)) Object.assign(master, put(word.text));
    else
      reader.fail(
        word,
        `the ${what} script does not exist or is not executable`,
        'give its full path, and chmod +x it',
      );
  });
}

const knownReplica = option('<host> <port>', exactly(3), (master, args, reader, _checks, draft) => {
  const [host, port] = args;
  if (host === undefined || port === undefined) return;
  checkHost(draft, host, reader);
  const portNumber = reader.integer(port, 0, 65_535, 'the port');
  if (portNumber === null) return;
  if (master.replicas.some((r) => r.host === host.text && r.port === portNumber)) {
    reader.fail(host, 'duplicate replica', 'remove one of the lines');
  } else master.replicas.push({ host: host.text, port: portNumber });
});

const KNOWN_SENTINEL: Arity = { min: 3, max: 4, comments: true };
const knownSentinel = option('<host> <port> <run id>', KNOWN_SENTINEL, (master, args, reader, _checks, draft) => {
  const [host, port, runId] = args;
  if (host === undefined || port === undefined) return;
  checkHost(draft, host, reader);
  const portNumber = reader.integer(port, 0, 65_535, 'the port');
  if (portNumber === null) return;
  if (runId === undefined) {
    reader.note(host, 'a Sentinel without a run id is not counted until it announces itself');
  } else if (!RUN_ID.test(runId.text)) {
    reader.fail(runId, 'malformed run id', '40 hexadecimal characters; or remove the line: Sentinels find each other');
  } else if (master.sentinels.some((s) => s.runId === runId.text)) {
    reader.fail(runId, 'duplicate run id of a Sentinel', 'remove one of the lines');
  } else master.sentinels.push({ host: host.text, port: portNumber, runId: runId.text });
});

const renameCommand = option('<command> <new name>', exactly(3), (master, args, reader) => {
  const [from, to] = args;
  if (from === undefined || to === undefined) return;
  const name = from.text.toUpperCase();
  if (to.text === '' || /\s/.test(to.text)) {
    reader.fail(to, 'a Sentinel cannot do without a command', 'the name that the command has on this master');
  } else if (master.renamedCommands.has(name)) {
    reader.fail(from, 'the same command is renamed twice', 'remove one of the lines');
  } else master.renamedCommands.set(name, to.text);
});

/** Ours: `voted-leader <name> <run id> <epoch>`. */
const votedLeader = option('<run id> <epoch>', exactly(3), (master, args, reader) => {
  const [runId, epoch] = args;
  if (runId === undefined || epoch === undefined) return;
  const value = reader.integer(epoch, 0, EPOCH_MAX, 'the epoch');
  if (!RUN_ID.test(runId.text)) reader.fail(runId, 'malformed run id', '40 hexadecimal characters');
  else if (value !== null) {
    master.votedLeader = runId.text;
    master.votedEpoch = value;
  }
});

function flagOption(name: string, put: (value: boolean) => Patch): SentinelDirective {
  return valueOption('yes|no', (master, word, reader) => {
    const value = reader.yesNo(word, name);
    if (value !== null) Object.assign(master, put(value));
  });
}

const rebootDownAfter = integerOption('<milliseconds>', 0, TIME_MAX_ms, (v) => ({ masterRebootDownAfter_ms: v }));

/** Name and meaning of every option of a master; the older and the newer word where there are two. */
export const MASTER_OPTIONS: readonly (readonly [string, SentinelDirective])[] = [
  ['down-after-milliseconds', integerOption('<milliseconds>', 1, TIME_MAX_ms, (v) => ({ downAfter_ms: v }))],
  ['failover-timeout', integerOption('<milliseconds>', 1, TIME_MAX_ms, (v) => ({ failoverTimeout_ms: v }))],
  ['parallel-syncs', integerOption('<replicas>', 0, 2_147_483_647, (v) => ({ parallelSyncs: v }))],
  ['notification-script', scriptOption('notification', (path) => ({ notificationScript: path }))],
  ['client-reconfig-script', scriptOption('client reconfiguration', (path) => ({ clientReconfigScript: path }))],
  ['auth-user', valueOption('<user>', (m, word) => Object.assign(m, { authUser: word.text } satisfies Patch))],
  [
    'auth-pass',
    valueOption('<password>', (m, word) => Object.assign(m, { authPass: word.text } satisfies Patch), true),
  ],
  ['master-reboot-down-after-period', rebootDownAfter],
  ['primary-reboot-down-after-period', rebootDownAfter],
  ['config-epoch', integerOption('<epoch>', 0, EPOCH_MAX, (v) => ({ configEpoch: v }))],
  ['leader-epoch', integerOption('<epoch>', 0, EPOCH_MAX, (v) => ({ leaderEpoch: v }))],
  ['known-replica', knownReplica],
  ['known-slave', knownReplica],
  ['known-sentinel', knownSentinel],
  ['rename-command', renameCommand],
  ['fast-down', flagOption('fast-down', (v) => ({ fastDown: v }))],
  ['lease-ttl', integerOption('<milliseconds>', 0, LEASE_TTL_MAX_MS, (v) => ({ leaseTtl_ms: v }))],
  ['ack-replicas', integerOption('<replicas>', 0, 2_147_483_647, (v) => ({ ackReplicas: v }))],
  ['paused', flagOption('paused', (v) => ({ paused: v }))],
  ['candidate-lag-max', integerOption('<bytes>', 0, Number.MAX_SAFE_INTEGER, (v) => ({ candidateLagMax_bytes: v }))],
  ['voted-leader', votedLeader],
];
