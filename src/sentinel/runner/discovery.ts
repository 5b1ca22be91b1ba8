/** Which changes of the state may be written a little later. */
import type { MasterConf, SentinelState } from '../../config/sentinel-types.js';

/**
 * Whether two states differ in nothing but the replicas and Sentinels that were discovered. To forget those in a crash is
 * to have heard of them a moment later: nobody was promised anything. At the start with many masters there are
 * thousands of such changes within seconds; each written by itself would keep the disk, and us, busy for longer.
 */
export function differOnlyInDiscovery(a: SentinelState, b: SentinelState): boolean {
  if (!isEqualBut(a, b, MASTERS) || a.masters.length !== b.masters.length) return false;
  return b.masters.every((master, index) => {
    const old = a.masters[index];
    return old !== undefined && isSameMaster(old, master);
  });
}

const MASTERS: ReadonlySet<string> = new Set<keyof SentinelState>(['masters']);
const NOT_COMPARED_AS_THEY_ARE: ReadonlySet<string> = new Set<keyof MasterConf>([
  'replicas',
  'sentinels',
  'renamedCommands',
]);
const NONE: ReadonlySet<string> = new Set();

function isSameMaster(a: MasterConf, b: MasterConf): boolean {
  return isEqualBut(a, b, NOT_COMPARED_AS_THEY_ARE) && isEqualBut(a.renamedCommands, b.renamedCommands, NONE);
}

/**
 * Whether two objects have the same keys and values, some keys apart. Nothing is copied: each of a thousand discoveries
 * looks at every master.
 */
function isEqualBut<T extends object>(a: T, b: T, apart: ReadonlySet<string>): boolean {
  const keys = Object.keys(a) as (keyof T & string)[];
  return keys.length === Object.keys(b).length && keys.every((key) => apart.has(key) || a[key] === b[key]);
}
