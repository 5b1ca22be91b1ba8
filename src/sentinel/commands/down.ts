/** SENTINEL IS-MASTER-DOWN-BY-ADDR: another Sentinel asks what we see, and perhaps for our vote. */
import { ErrorReply, type Reply } from '../../redis/reply.js';
import { isDownForUs } from '../core/down.js';
import { isCredibleEpoch } from '../core/epoch.js';
import { groupAt } from '../core/names.js';
import type { Turn } from '../core/turn.js';
import { vote } from '../core/vote.js';
import { NOT_AN_INTEGER, parseInteger } from './arguments.js';

/**
 * `<ip> <port> <epoch> <run id or *>`: `[1 or 0, leader or *, leader's epoch]`. With a run id it is the request for a
 * vote. Stricter than redis-sentinel, which takes any text for a run id and would then vote for it.
 */
export function isMasterDown(turn: Turn, args: readonly string[]): Reply {
  const [host = '', portText = '', epochText = '', runId = ''] = args;
  const port = parseInteger(portText, 0, 65_535);
  const epoch = parseInteger(epochText, 0, Number.MAX_SAFE_INTEGER);
  if (port === null || epoch === null) return NOT_AN_INTEGER;
  if (!isCredibleEpoch(turn, epoch)) return new ErrorReply('ERR The epoch is out of all proportion');
  if (runId !== '*' && !/^[0-9a-f]{40}$/i.test(runId)) return new ErrorReply('ERR Invalid run id');
  const group = groupAt(turn.s, host, port);
  const down = group !== null && isDownForUs(turn, group);
  if (group === null || runId === '*') return [down ? 1 : 0, '*', 0];
  const given = vote(turn, group, epoch, runId);
  return [down ? 1 : 0, given.leader ?? '*', given.epoch];
}
