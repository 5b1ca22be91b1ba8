/** What another Redis of the group has, from the INFO text that the Sentinel on this host last had of it. */
import { countKeys, readServerInfo } from '../../redis/info.js';
import type { Place, Sibling } from './io.js';

/** Redis's way to say that there is no second history. */
const NO_HISTORY = /^0*$/;

/**
 * @param infoText the answer to INFO, with the sections `replication` and `keyspace`
 * @param news whether it answers now, and how old the text is
 * @returns null when the text does not say what it has: nothing may be concluded from it
 */
export function siblingOf(
  infoText: string,
  place: Place,
  news: { readonly alive: boolean; readonly age_ms: number },
): Sibling | null {
  const info = readServerInfo(infoText);
  const { role, masterReplId, masterReplId2, masterReplOffset, secondReplOffset } = info;
  // While it reads its data from disk it does not know yet what it has.
  if (role === null || masterReplId === null || masterReplOffset === null || info.loading) return null;
  const hasSecond = masterReplId2 !== null && !NO_HISTORY.test(masterReplId2) && secondReplOffset !== null;
  return {
    place,
    alive: news.alive,
    role,
    replId: masterReplId,
    replId2: hasSecond ? masterReplId2 : '',
    secondOffset: hasSecond ? secondReplOffset : -1,
    offset: masterReplOffset,
    keys: countKeys(infoText),
    linkUp: role === 'replica' && info.masterLinkUp === true,
    diskFails: info.diskFails,
    age_ms: news.age_ms,
  };
}
