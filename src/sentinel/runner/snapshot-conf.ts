/** Between the core's snapshot and the `sentinel …` lines of the configuration file. */
import type { MasterConf, SentinelState } from '../../config/sentinel-types.js';
import type { MasterSnapshot, Snapshot } from '../core/snapshot.js';

/**
 * What the file says, as the core wants it.
 * @param myId our run id, when the file has none yet
 * @param addresses of the names that stand in the file although names are not resolved later: kept as addresses
 */
export function snapshotOf(state: SentinelState, myId: string, addresses: ReadonlyMap<string, string>): Snapshot {
  const fixed = (host: string): string => addresses.get(host) ?? host;
  return {
    ...state,
    myId: state.myId === '' ? myId : state.myId,
    masters: state.masters.map((master) => masterSnapshot(master, fixed)),
  };
}

function masterSnapshot(conf: MasterConf, fixed: (host: string) => string): MasterSnapshot {
  return {
    ...conf,
    host: fixed(conf.host),
    replicas: conf.replicas.map(({ host, port }) => ({ host: fixed(host), port })),
    sentinels: conf.sentinels.map(({ host, port, runId }) => ({ host: fixed(host), port, runId })),
  };
}

/** What is written into the file. */
export function stateOf(snapshot: Snapshot): SentinelState {
  return snapshot;
}
