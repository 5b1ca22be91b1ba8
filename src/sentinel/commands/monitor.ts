/** SENTINEL MONITOR, REMOVE and RESET. */
import { isHost, isIpAddress } from '../../base/ip.js';
import { MASTER_CONF_DEFAULTS } from '../../config/sentinel-types.js';
import { globMatches } from '../../redis/acl/glob.js';
import { ErrorReply, OK, type Reply } from '../../redis/reply.js';
import { addGroup, removeGroup, resetGroup } from '../core/group.js';
import { addressOf } from '../core/names.js';
import type { Sentinel } from '../core/state.js';
import type { Turn } from '../core/turn.js';
import { COUNT_MAX, parseInteger, withMaster } from './arguments.js';

/** `<name> <host> <port> <quorum>`: begins to watch a master. */
export function monitor(turn: Turn, args: readonly string[]): Reply {
  const [name = '', host = '', portText = '', quorumText = ''] = args;
  const quorum = parseInteger(quorumText, Number.MIN_SAFE_INTEGER, COUNT_MAX);
  if (quorum === null) return new ErrorReply('ERR Invalid quorum');
  const port = parseInteger(portText, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (port === null) return new ErrorReply('ERR Invalid port');
  if (quorum <= 0) return new ErrorReply('ERR Quorum must be 1 or greater.');
  // redis-sentinel takes port 0, and then watches nothing.
  if (port <= 0 || port > 65_535) return new ErrorReply('ERR Invalid port number.');
  if (!isKnownHost(turn.s, host)) {
    forgetName(turn.s, host);
    return new ErrorReply('ERR Invalid IP address or hostname specified');
  }
  if (turn.s.groups.has(name)) return new ErrorReply('ERR Duplicate master name.');
  if (!isMasterName(name)) {
    return new ErrorReply('ERR Invalid master name: letters, digits and the characters ".-_" are allowed');
  }
  begin(turn, { name, host, port, quorum });
  return OK;
}

function begin(
  turn: Turn,
  { name, host, port, quorum }: Readonly<Record<'name' | 'host', string> & Record<'port' | 'quorum', number>>,
): void {
  const { replicas: _none, sentinels: _nobody, ...defaults } = MASTER_CONF_DEFAULTS;
  // Watched before under this name, it may have had our vote in this epoch: that must not be given twice.
  const leaderEpoch = turn.s.currentEpoch;
  const group = addGroup(turn, { ...defaults, name, quorum, leaderEpoch }, addressOf(turn.s, host, port));
  turn.event('warning', '+monitor', group, `quorum ${quorum}`);
  turn.persist();
}

/** What goes into configuration files, hello messages and event texts without any quoting. */
function isMasterName(name: string): boolean {
  return /^[A-Za-z0-9._-]{1,256}$/.test(name);
}

/** An address, or with `resolve-hostnames` a name. A name whose look-up has just failed is refused. */
function isKnownHost(s: Sentinel, host: string): boolean {
  if (isIpAddress(host)) return true;
  if (!s.settings.resolveHostnames || !isHost(host)) return false;
  const known = s.names.get(host);
  return known === undefined || known.outstanding || known.ip !== null;
}

/** What was looked up for a command that was refused is not kept. */
function forgetName(s: Sentinel, host: string): void {
  for (const link of s.links) if (link.address.host === host) return;
  s.names.delete(host);
}

/** `<name>`: ceases to watch a master. */
export function remove(turn: Turn, [name]: readonly string[]): Reply {
  return withMaster(turn, name, (group) => {
    removeGroup(turn, group);
    return OK;
  });
}

/** `<pattern>`: forgets what was discovered of the masters whose name matches. @returns how many there were */
export function reset(turn: Turn, [pattern = '']: readonly string[]): Reply {
  const matching = [...turn.s.groups.values()].filter(({ name }) => globMatches(pattern, name));
  for (const group of matching) resetGroup(turn, group);
  return matching.length;
}
