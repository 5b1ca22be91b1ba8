/** `SENTINEL PENDING-SCRIPTS`: the queue, by redis-sentinel's field names. */
import { MapReply, type Reply } from '../../redis/reply.js';
import type { JobView } from '../scripts/queue.js';

export function pendingScripts(jobs: readonly JobView[]): Reply {
  return jobs.map(
    ({ argv, running, pid, time_ms, attempts }) =>
      new MapReply([
        ['argv', argv],
        ['flags', running ? 'running' : 'scheduled'],
        ['pid', String(pid)],
        [running ? 'run-time' : 'run-delay', String(time_ms)],
        ['retry-num', String(attempts)],
      ]),
  );
}
