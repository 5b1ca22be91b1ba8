/** SENTINEL: its subcommands, their synonyms and how many arguments each takes. */
import { ErrorReply, OK, type Reply } from '../../redis/reply.js';
import type { Turn } from '../core/turn.js';
import { quoted, wrongArity } from './arguments.js';
import { config } from './config.js';
import { debug, simulateFailure } from './debug.js';
import { isMasterDown } from './down.js';
import { failover } from './failover.js';
import { HELP } from './help.js';
import { lease, pause } from './lease.js';
import { monitor, remove, reset } from './monitor.js';
import { checkQuorum } from './quorum.js';
import { set } from './set.js';
import { infoCache, master, masterAddress, masters, replicas, sentinels } from './show.js';

interface Subcommand {
  /** How many arguments may follow the subcommand's name. */
  readonly least: number;
  readonly most: number;
  readonly run: (turn: Turn, args: readonly string[]) => Reply;
}

function exactly(count: number, run: Subcommand['run']): Subcommand {
  return { least: count, most: count, run };
}

function atLeast(count: number, run: Subcommand['run']): Subcommand {
  return { least: count, most: Number.POSITIVE_INFINITY, run };
}

const SUBCOMMANDS: ReadonlyMap<string, Subcommand> = new Map([
  ['MASTERS', exactly(0, masters)],
  ['PRIMARIES', exactly(0, masters)],
  ['MASTER', exactly(1, master)],
  ['PRIMARY', exactly(1, master)],
  ['REPLICAS', exactly(1, replicas)],
  ['SLAVES', exactly(1, replicas)],
  ['SENTINELS', exactly(1, sentinels)],
  ['GET-MASTER-ADDR-BY-NAME', exactly(1, masterAddress)],
  ['GET-PRIMARY-ADDR-BY-NAME', exactly(1, masterAddress)],
  ['IS-MASTER-DOWN-BY-ADDR', exactly(4, isMasterDown)],
  ['IS-PRIMARY-DOWN-BY-ADDR', exactly(4, isMasterDown)],
  ['INFO-CACHE', atLeast(1, infoCache)],
  ['CKQUORUM', exactly(1, checkQuorum)],
  ['MYID', exactly(0, (turn) => turn.s.myId)],
  ['FAILOVER', { least: 1, most: 5, run: failover }],
  ['RESET', exactly(1, reset)],
  ['MONITOR', exactly(4, monitor)],
  ['REMOVE', exactly(1, remove)],
  ['SET', atLeast(3, set)],
  ['LEASE', { least: 5, most: 10, run: lease }],
  ['PAUSE', exactly(2, pause)],
  ['CONFIG', atLeast(1, config)],
  ['FLUSHCONFIG', exactly(0, flushConfig)],
  ['SIMULATE-FAILURE', atLeast(1, simulateFailure)],
  ['DEBUG', atLeast(0, debug)],
  ['HELP', exactly(0, () => HELP)],
]);

export function onSentinelCommand(turn: Turn, args: readonly string[]): Reply {
  const [name, ...rest] = args;
  if (name === undefined) return wrongArity('sentinel');
  const subcommand = SUBCOMMANDS.get(name.toUpperCase());
  if (subcommand === undefined) {
    return new ErrorReply(`ERR unknown subcommand '${quoted(name)}'. Try SENTINEL HELP.`);
  }
  if (rest.length < subcommand.least || rest.length > subcommand.most) {
    return wrongArity(`sentinel|${name.toLowerCase()}`);
  }
  return subcommand.run(turn, rest);
}

function flushConfig(turn: Turn): Reply {
  turn.persist();
  return OK;
}
