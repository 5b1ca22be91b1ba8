/** Which changes of the state may be written a little later. */
import type { MasterConf, SentinelState } from '../../config/sentinel-types.js';

/**
 * Whether two states differ in nothing but the replicas and Sentinels that were discovered. To forget those in a crash is
 * to have heard of them a moment later: nobody was promised anything. At the start with many masters there are
 * thousands of such changes within seconds; each written by itself would keep the disk, and us, busy for longer.
 */
export function differOnlyInDiscovery(a: SentinelState, b: SentinelState): boolean {
  const { masters: before, ...settingsBefore } = a;
  const { masters: after, ...settingsAfter } = b;
  if (!isShallowEqual(settingsBefore, settingsAfter) || before.length !== after.length) return false;
  return after.every((master, index) => {
    const old = before[index];
    return old !== undefined && isSameMaster(old, master);
  });
}

function isSameMaster(a: MasterConf, b: MasterConf): boolean {
  const { replicas: _r1, sentinels: _s1, renamedCommands: namesBefore, ...before } = a;
  const { replicas: _r2, sentinels: _s2, renamedCommands: namesAfter, ...after } = b;
  return isShallowEqual(before, after) && isShallowEqual(namesBefore, namesAfter);
}

function isShallowEqual(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
