/** What may not leave before the state is on disk: it tells of it, and must still be so after a crash. */
import type { Tag } from '../core/io.js';

/**
 * Subcommands of SENTINEL whose answer says that something is now so, and must still be so after a crash. LEASE is none:
 * a grant is in memory alone, and whoever starts anew keeps still for as long as one may live.
 */
const PROMISES: ReadonlySet<string> = new Set([
  'IS-MASTER-DOWN-BY-ADDR',
  'IS-PRIMARY-DOWN-BY-ADDR',
  'FAILOVER',
  'FLUSHCONFIG',
  'MONITOR',
  'PAUSE',
  'REMOVE',
  'RESET',
  'SET',
  'CONFIG',
]);

/** Whether the answer to a client's command relies on the disk. */
export function answerRelies(args: readonly string[]): boolean {
  return args[0]?.toUpperCase() === 'SENTINEL' && PROMISES.has(args[1]?.toUpperCase() ?? '');
}

/** Whether a request of ours does. */
export function requestRelies(tag: Tag): boolean {
  return tag.kind !== 'ping' && tag.kind !== 'info';
}
