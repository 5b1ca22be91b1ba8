/** SENTINEL and its subcommands. */
import { ErrorReply, OK, type Reply } from '../../redis/reply.js';
import { startFailover } from '../core/failover.js';
import { currentMasterAddress } from '../core/hello.js';
import { groupAt, shownHost } from '../core/names.js';
import type { Turn } from '../core/turn.js';
import { vote } from '../core/vote.js';

type Subcommand = (turn: Turn, args: readonly string[]) => Reply;

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  'GET-MASTER-ADDR-BY-NAME': getMasterAddress,
  'IS-MASTER-DOWN-BY-ADDR': isMasterDown,
  FAILOVER: failover,
};

export function onSentinelCommand(turn: Turn, args: readonly string[]): Reply {
  const [name = '', ...rest] = args;
  const subcommand = SUBCOMMANDS[name.toUpperCase()];
  if (subcommand === undefined) {
    return new ErrorReply(`ERR unknown subcommand '${name.slice(0, 128)}'. Try SENTINEL HELP.`);
  }
  return subcommand(turn, rest);
}

function getMasterAddress(turn: Turn, [name = '']: readonly string[]): Reply {
  const group = turn.s.groups.get(name);
  if (group === undefined) return null;
  const address = currentMasterAddress(group);
  return [shownHost(turn.s, address), String(address.port)];
}

/** `<ip> <port> <epoch> <runid or *>`: whether the master there is down for us, and whom our vote went to. */
function isMasterDown(turn: Turn, args: readonly string[]): Reply {
  const [host = '', port = '', epoch = '', runId = ''] = args;
  const group = groupAt(turn.s, host, Number(port));
  const down = group !== null && turn.s.tiltSince === null && group.master.sdownSince !== null;
  if (group === null || runId === '*') return [down ? 1 : 0, '*', 0];
  const given = vote(turn, group, Number(epoch), runId);
  return [down ? 1 : 0, given.leader ?? '*', given.epoch];
}

function failover(turn: Turn, [name = '', how = '']: readonly string[]): Reply {
  const group = turn.s.groups.get(name);
  if (group === undefined) return new ErrorReply('ERR No such master with that name');
  if (group.failover !== null) return new ErrorReply('INPROG Failover already in progress');
  if (group.replicas.size === 0) return new ErrorReply('NOGOODSLAVE No suitable replica to promote');
  startFailover(turn, group, how.toUpperCase() === 'COORDINATED' ? 'coordinated' : 'planned');
  return OK;
}
