/** The state in the configuration file as the core is started with it. */
import type { MasterConf, SentinelState } from '../../config/sentinel-types.js';

/**
 * What the file says, as the core wants it.
 * @param myId our run id, when the file has none yet
 * @param addresses of the names that stand in the file although names are not resolved later: kept as addresses
 */
export function startState(state: SentinelState, myId: string, addresses: ReadonlyMap<string, string>): SentinelState {
  const fixed = (host: string): string => addresses.get(host) ?? host;
  return {
    ...state,
    myId: state.myId === '' ? myId : state.myId,
    masters: state.masters.map((master) => masterOf(master, fixed)),
  };
}

function masterOf(conf: MasterConf, fixed: (host: string) => string): MasterConf {
  return {
    ...conf,
    host: fixed(conf.host),
    replicas: conf.replicas.map(({ host, port }) => ({ host: fixed(host), port })),
    sentinels: conf.sentinels.map(({ host, port, runId }) => ({ host: fixed(host), port, runId })),
  };
}
