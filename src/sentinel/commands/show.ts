/** The subcommands that only show what is known. */
import { NULL_ARRAY, type Reply } from '../../redis/reply.js';
import { currentMasterAddress, shownHost } from '../core/names.js';
import { redisNodes } from '../core/state.js';
import type { Turn } from '../core/turn.js';
import { withMaster } from './arguments.js';
import { age_ms, masterEntry, replicaEntry, sentinelEntry } from './entry.js';

export function masters(turn: Turn): Reply {
  return [...turn.s.groups.values()].map((group) => masterEntry(turn, group));
}

export function master(turn: Turn, [name]: readonly string[]): Reply {
  return withMaster(turn, name, (group) => masterEntry(turn, group));
}

/** A replica that says `replica-announced no` is watched, and may be promoted, but clients are not told of it. */
export function replicas(turn: Turn, [name]: readonly string[]): Reply {
  return withMaster(turn, name, (group) =>
    [...group.replicas.values()].filter((node) => node.announced).map((node) => replicaEntry(turn, node)),
  );
}

export function sentinels(turn: Turn, [name]: readonly string[]): Reply {
  return withMaster(turn, name, (group) => [...group.sentinels.values()].map((peer) => sentinelEntry(turn, peer)));
}

/** `[ip, port]`; no array for an unknown name, as clients rely on. */
export function masterAddress(turn: Turn, [name = '']: readonly string[]): Reply {
  const group = turn.s.groups.get(name);
  if (group === undefined) return NULL_ARRAY;
  const address = currentMasterAddress(group);
  return [shownHost(turn.s, address), String(address.port)];
}

/** `name, [[age in ms, INFO text], …]` for each master that is named, its replicas after it; unknown names are left out. */
export function infoCache(turn: Turn, names: readonly string[]): Reply {
  const reply: Reply[] = [];
  for (const group of turn.s.groups.values()) {
    if (!names.includes(group.name)) continue;
    const cached = redisNodes(group).map(({ info }) => [age_ms(turn, info.at), info.text === '' ? null : info.text]);
    reply.push(group.name, cached);
  }
  return reply;
}
