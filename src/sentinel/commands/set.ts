/**
 * SENTINEL SET: options of one master. Ours is all or nothing: every option is checked before the first takes effect,
 * while redis-sentinel keeps those that stood before the faulty one.
 */
import { LEASE_TTL_MAX_MS } from '../../config/sentinel-types.js';
import { ErrorReply, OK, type Reply } from '../../redis/reply.js';
import { awaitLease } from '../core/lease.js';
import { reconnectLink } from '../core/links.js';
import { type Group, redisNodes } from '../core/state.js';
import type { Turn } from '../core/turn.js';
import { COUNT_MAX, parseInteger, parseYesNo, quoted, withMaster } from './arguments.js';

/** Puts a checked value into the group. */
type Change = (turn: Turn, group: Group) => void;

interface Option {
  /** How many values follow its name. */
  readonly values: 1 | 2;
  /** The change that the values ask for; the faulty value, as text, when they cannot be used. */
  readonly read: (values: readonly string[]) => Change | string;
  /** Not shown in events. */
  readonly secret?: boolean;
  /** A path to a program: may be denied as a whole. */
  readonly script?: boolean;
}

function integer(least: number, most: number, put: (group: Group, value: number) => void): Option {
  return {
    values: 1,
    read: ([text = '']) => {
      const value = parseInteger(text, least, most);
      return value === null ? text : (_turn, group) => put(group, value);
    },
  };
}

function text(put: (group: Group, value: string) => void): Option {
  return {
    values: 1,
    read:
      ([value = '']) =>
      (_turn, group) =>
        put(group, value),
  };
}

function flag(put: (group: Group, value: boolean) => void): Option {
  return {
    values: 1,
    read: ([text = '']) => {
      const value = parseYesNo(text);
      return value === null ? text : (_turn, group) => put(group, value);
    },
  };
}

function credential(put: (group: Group, value: string) => void, secret: boolean): Option {
  const read = ([value = '']: readonly string[]): Change => {
    return (turn, group) => {
      put(group, value);
      // Those that stand were opened with the old credentials, or refused for want of them.
      for (const { link } of redisNodes(group)) reconnectLink(turn, link);
    };
  };
  return { values: 1, read, secret };
}

const script = (put: (group: Group, value: string) => void): Option => ({ ...text(put), script: true });

const rebootDownAfter = integer(0, Number.MAX_SAFE_INTEGER, (group, value) => {
  group.masterRebootDownAfter_ms = value;
});

const OPTIONS: ReadonlyMap<string, Option> = new Map<string, Option>([
  ['down-after-milliseconds', { values: 1, read: readDownAfter }],
  [
    'failover-timeout',
    integer(1, Number.MAX_SAFE_INTEGER, (group, value) => {
      group.failoverTimeout_ms = value;
    }),
  ],
  [
    'parallel-syncs',
    integer(1, COUNT_MAX, (group, value) => {
      group.parallelSyncs = value;
    }),
  ],
  [
    'quorum',
    integer(1, COUNT_MAX, (group, value) => {
      group.quorum = value;
    }),
  ],
  ['master-reboot-down-after-period', rebootDownAfter],
  ['primary-reboot-down-after-period', rebootDownAfter],
  [
    'notification-script',
    script((group, value) => {
      group.notificationScript = value;
    }),
  ],
  [
    'client-reconfig-script',
    script((group, value) => {
      group.clientReconfigScript = value;
    }),
  ],
  [
    'auth-user',
    credential((group, value) => {
      group.authUser = value;
    }, false),
  ],
  [
    'auth-pass',
    credential((group, value) => {
      group.authPass = value;
    }, true),
  ],
  ['rename-command', { values: 2, read: readRename }],
  [
    'fast-down',
    flag((group, value) => {
      group.fastDown = value;
    }),
  ],
  ['lease-ttl', { values: 1, read: readLeaseTtl }],
  [
    'ack-replicas',
    integer(0, COUNT_MAX, (group, value) => {
      group.ackReplicas = value;
    }),
  ],
  [
    'paused',
    flag((group, value) => {
      group.paused = value;
    }),
  ],
  [
    'candidate-lag-max',
    integer(0, Number.MAX_SAFE_INTEGER, (group, value) => {
      group.candidateLagMax_bytes = value;
    }),
  ],
]);

function readDownAfter([value = '']: readonly string[]): Change | string {
  const downAfter_ms = parseInteger(value, 1, Number.MAX_SAFE_INTEGER);
  if (downAfter_ms === null) return value;
  return (turn, group) => {
    group.downAfter_ms = downAfter_ms;
    // How often an instance is pinged follows from it.
    for (const { link } of [...redisNodes(group), ...group.sentinels.values()]) turn.touchLink(link);
  };
}

function readLeaseTtl([value = '']: readonly string[]): Change | string {
  const ttl_ms = parseInteger(value, 0, LEASE_TTL_MAX_MS);
  if (ttl_ms === null) return value;
  return (turn, group) => {
    group.leaseTtl_ms = ttl_ms;
    // Nobody could ask before: the master is given time to get its first lease.
    awaitLease(turn, group, group.master.link.address);
  };
}

function readRename([from = '', to = '']: readonly string[]): Change | string {
  if (from === '' || /\s/.test(from)) return from;
  if (to === '' || /\s/.test(to)) return to;
  return (_turn, group) => {
    const name = from.toUpperCase();
    if (to.toUpperCase() === name) group.renamedCommands.delete(name);
    else group.renamedCommands.set(name, to);
  };
}

/** `<name> <option> <value> [<option> <value> …]`. */
export function set(turn: Turn, [name, ...pairs]: readonly string[]): Reply {
  return withMaster(turn, name, (group) => {
    const wanted = readOptions(turn, pairs);
    if (wanted instanceof ErrorReply) return wanted;
    turn.persist();
    for (const { change, told } of wanted) {
      change(turn, group);
      turn.event('warning', '+set', group, told);
    }
    turn.touch(group);
    return OK;
  });
}

interface Wanted {
  readonly change: Change;
  /** As the event tells it. */
  readonly told: string;
}

function readOptions(turn: Turn, pairs: readonly string[]): Wanted[] | ErrorReply {
  const wanted: Wanted[] = [];
  for (const { name, option, values } of splitOptions(pairs)) {
    if (option === undefined || values.length < option.values) {
      return new ErrorReply(`ERR Unknown option or number of arguments for SENTINEL SET '${quoted(name)}'`);
    }
    if (option.script && turn.s.settings.denyScriptsReconfig) return SCRIPTS_DENIED;
    const change = option.read(values);
    if (typeof change === 'string') {
      return new ErrorReply(`ERR Invalid argument '${quoted(change)}' for SENTINEL SET '${quoted(name)}'`);
    }
    wanted.push({ change, told: [name, ...(option.secret ? ['******'] : values)].join(' ') });
  }
  return wanted;
}

const SCRIPTS_DENIED = new ErrorReply(
  'ERR Reconfiguration of scripts path is denied for security reasons. ' +
    'Check the deny-scripts-reconfig configuration directive in your Sentinel configuration',
);

/** The options of a SET command in order; `option` is undefined for a name that is none. */
export function* splitOptions(
  pairs: readonly string[],
): Generator<{ name: string; option: Option | undefined; values: readonly string[] }> {
  for (let at = 0; at < pairs.length; ) {
    const name = pairs[at] ?? '';
    const option = OPTIONS.get(name.toLowerCase());
    const count = option?.values ?? 1;
    yield { name, option, values: pairs.slice(at + 1, at + 1 + count) };
    at += 1 + count;
  }
}
