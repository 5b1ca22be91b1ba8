/** SENTINEL CONFIG GET and SET: settings of the whole Sentinel. */
import { isHost } from '../../base/ip.js';
import { globMatches } from '../../redis/acl/glob.js';
import { ErrorReply, MapReply, OK, type Reply } from '../../redis/reply.js';
import type { Verbosity } from '../core/io.js';
import { reconnectLink } from '../core/links.js';
import type { Sentinel, Settings } from '../core/state.js';
import type { Turn } from '../core/turn.js';
import { parseInteger, parseYesNo, quoted } from './arguments.js';

/** Puts a checked value in its place. */
type Change = (turn: Turn) => void;

interface Setting {
  readonly name: string;
  readonly show: (settings: Settings) => string;
  /** The change; null when the value cannot be used. */
  readonly read: (value: string) => Change | null;
}

const VERBOSITIES: readonly Verbosity[] = ['debug', 'verbose', 'notice', 'warning', 'nothing'];

/** In the order of redis-sentinel's CONFIG GET. */
const SETTINGS: readonly Setting[] = [
  flag('resolve-hostnames', 'resolveHostnames'),
  flag('announce-hostnames', 'announceHostnames'),
  // Checked, unlike in redis-sentinel: it is told to all others in hello messages, which a comma would break.
  {
    name: 'announce-ip',
    show: (settings) => settings.announceIp,
    read: (value) => (value === '' || isHost(value) ? (turn) => (turn.s.settings.announceIp = value) : null),
  },
  {
    name: 'announce-port',
    show: (settings) => String(settings.announcePort),
    read: (value) => {
      const port = parseInteger(value, 0, 65_535);
      return port === null ? null : (turn) => (turn.s.settings.announcePort = port);
    },
  },
  credential('sentinel-user', 'sentinelUser'),
  credential('sentinel-pass', 'sentinelPass'),
  {
    name: 'loglevel',
    show: (settings) => settings.verbosity,
    read: (value) => {
      const verbosity = VERBOSITIES.find((each) => each === value.toLowerCase());
      if (verbosity === undefined) return null;
      return (turn) => {
        turn.s.settings.verbosity = verbosity;
        turn.effects.push({ act: 'set-verbosity', verbosity });
      };
    },
  },
];

function flag(name: string, key: 'resolveHostnames' | 'announceHostnames'): Setting {
  return {
    name,
    show: (settings) => (settings[key] ? 'yes' : 'no'),
    read: (value) => {
      const on = parseYesNo(value);
      return on === null ? null : (turn) => (turn.s.settings[key] = on);
    },
  };
}

function credential(name: string, key: 'sentinelUser' | 'sentinelPass'): Setting {
  return {
    name,
    show: (settings) => settings[key],
    read: (value) => (turn) => {
      turn.s.settings[key] = value;
      for (const link of linksToSentinels(turn.s)) reconnectLink(turn, link);
    },
  };
}

function linksToSentinels(s: Sentinel): Sentinel['links'] {
  return new Set([...s.groups.values()].flatMap((group) => [...group.sentinels.values()].map(({ link }) => link)));
}

const USAGE = new ErrorReply(
  'ERR Only SENTINEL CONFIG GET <param> [<param> <param> ...] / ' +
    'SET <param> <value> [<param> <value> ...] are supported.',
);

/** `GET <pattern> …` or `SET <name> <value> …`; several at once as in redis-sentinel 7.2. */
export function config(turn: Turn, [what = '', ...args]: readonly string[]): Reply {
  const verb = what.toUpperCase();
  if (verb === 'GET' && args.length >= 1) return get(turn, args);
  if (verb === 'SET' && args.length >= 2) return set(turn, args);
  return USAGE;
}

function get(turn: Turn, patterns: readonly string[]): Reply {
  const wanted = patterns.map((pattern) => pattern.toLowerCase());
  const matching = SETTINGS.filter(({ name }) => wanted.some((pattern) => globMatches(pattern, name)));
  return new MapReply(matching.map(({ name, show }) => [name, show(turn.s.settings)]));
}

/** All or nothing: every value is checked before the first takes effect. */
function set(turn: Turn, pairs: readonly string[]): Reply {
  const changes = new Map<Setting, Change>();
  for (let at = 0; at < pairs.length; at += 2) {
    const name = pairs[at] ?? '';
    const value = pairs[at + 1];
    const setting = SETTINGS.find((each) => each.name === name.toLowerCase());
    if (setting === undefined) return new ErrorReply(`ERR Invalid argument '${quoted(name)}' to SENTINEL CONFIG SET`);
    if (value === undefined) return new ErrorReply(`ERR Missing argument '${quoted(name)}' value`);
    if (changes.has(setting)) {
      return new ErrorReply(`ERR Duplicate argument '${quoted(name)}' to SENTINEL CONFIG SET`);
    }
    const change = setting.read(value);
    if (change === null) {
      return new ErrorReply(`ERR Invalid value '${quoted(value)}' to SENTINEL CONFIG SET '${quoted(name)}'`);
    }
    changes.set(setting, change);
  }
  for (const change of changes.values()) change(turn);
  turn.persist();
  return OK;
}
