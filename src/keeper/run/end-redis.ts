/** Ends the Redis that an agent which is no more has left running. */
import { isAlive, untilGone } from '../../net/process-id.js';
import { readRecord, recordPath } from './redis-record.js';

/** What has become of it. */
export type RedisEnd =
  | { readonly is: 'none' }
  | { readonly is: 'ended'; readonly pid: number }
  /** It goes on saving, or does not heed the signal. */
  | { readonly is: 'late'; readonly pid: number };

/**
 * Asks it to end (SIGTERM), which saves the data if its redis.conf says so; never by force.
 * @throws {Error} (rejects) when it may not be signalled
 */
export async function endRedis(stateDirectory: string, group: string, deadline_ms: number): Promise<RedisEnd> {
  const record = readRecord(recordPath(stateDirectory, group));
  if (record === null || !isAlive(record)) return { is: 'none' };
  const { pid } = record;
  process.kill(pid, 'SIGTERM');
  return (await untilGone(record, deadline_ms)) ? { is: 'ended', pid } : { is: 'late', pid };
}
