/** SENTINEL CKQUORUM: could a failover be agreed upon and authorised now? */
import { ErrorReply, type Reply, SimpleString } from '../../redis/reply.js';
import type { Group } from '../core/state.js';
import { describe, type Turn } from '../core/turn.js';
import { withMaster } from './arguments.js';

/**
 * `OK …`, or `NOQUORUM …` with redis-sentinel's sentences and after them, ours, which Sentinels are missing.
 */
export function checkQuorum(turn: Turn, [name]: readonly string[]): Reply {
  return withMaster(turn, name, (group) => check(turn, group));
}

function check(turn: Turn, group: Group): Reply {
  const missing = [...group.sentinels.values()].filter((peer) => peer.sdownSince !== null);
  const voters = group.sentinels.size + 1;
  const usable = voters - missing.length;
  const faults: string[] = [];
  if (usable < group.quorum) {
    faults.push('Not enough available Sentinels to reach the specified quorum for this master');
  }
  if (usable < Math.floor(voters / 2) + 1) {
    faults.push('Not enough available Sentinels to reach the majority and authorize a failover');
  }
  if (faults.length === 0) {
    return new SimpleString(`OK ${usable} usable Sentinels. Quorum and failover authorization can be reached`);
  }
  const names = missing.map((peer) => describe(turn.s, peer));
  faults.push(names.length === 0 ? `Only ${voters} Sentinels are known` : `Down: ${names.join(', ')}`);
  return new ErrorReply(`NOQUORUM ${usable} usable Sentinels. ${faults.join('. ')}`);
}
