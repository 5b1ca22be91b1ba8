import { describe, expect, it } from 'vitest';
import {
  ATTEMPTS_MAX,
  QUEUE_MAX,
  RETRY_DELAY_MS,
  RUN_TIME_MAX_MS,
  RUNNING_MAX,
  type ScriptExit,
  ScriptQueue,
} from './queue.js';

const exit = (code: number): ScriptExit => ({ by: 'exit', code });
const killed: ScriptExit = { by: 'signal', signal: 9 };

/** A queue with one script that has been started at 0. */
function started(): { queue: ScriptQueue; id: number } {
  const queue = new ScriptQueue();
  queue.add('/bin/notify', ['+sdown', 'master m'], 0);
  const [job] = queue.start(0);
  return { queue, id: job?.id ?? 0 };
}

describe('ScriptQueue', () => {
  it('starts scripts in order, at most 16 at once', () => {
    const queue = new ScriptQueue();
    for (let i = 0; i < 20; i++) queue.add(`/s${i}`, [], 0);
    const first = queue.start(0);
    expect(first.map((job) => job.path)).toEqual(Array.from({ length: RUNNING_MAX }, (_, i) => `/s${i}`));
    expect(queue.start(1)).toEqual([]);
    expect(queue.nextDeadline()).toBe(RUN_TIME_MAX_MS + 1);
    expect(queue.ended(first[3]?.id ?? 0, exit(0), 5)).toBe('done');
    expect(queue.start(5).map((job) => job.path)).toEqual(['/s16']);
  });

  it('drops the oldest waiting one when it is full, never a running one', () => {
    const queue = new ScriptQueue();
    queue.add('/running', [], 0);
    queue.start(0);
    for (let i = 0; i < QUEUE_MAX - 1; i++) expect(queue.add(`/s${i}`, [], 0)).toBeNull();
    expect(queue.add('/new', [], 0)).toBe('/s0');
    expect(queue.length).toBe(QUEUE_MAX);
    expect(queue.view(0)[0]?.argv).toEqual(['/running']);
  });

  it.each([
    ['exit 1', exit(1)],
    ['a signal', killed],
  ])('tries again after %s, with doubling delay, ten times in all', (_, how) => {
    const { queue, id } = started();
    let now = 0;
    for (let attempt = 1; attempt < ATTEMPTS_MAX; attempt++) {
      expect(queue.ended(id, how, now)).toBe('again');
      const delay = RETRY_DELAY_MS * 2 ** (attempt - 1);
      expect(queue.nextDeadline()).toBe(now + delay);
      expect(queue.start(now + delay - 1)).toEqual([]);
      now += delay;
      expect(queue.start(now)).toEqual([{ id, path: '/bin/notify', args: ['+sdown', 'master m'] }]);
    }
    expect(queue.ended(id, how, now)).toBe('failed');
    expect(queue.length).toBe(0);
  });

  it('does not try again after exit 2 or more', () => {
    const { queue, id } = started();
    expect(queue.ended(id, exit(2), 1)).toBe('failed');
    expect(queue.length).toBe(0);
  });

  it('names a script that runs for more than 60 s, once', () => {
    const { queue, id } = started();
    queue.hasPid(id, 4711);
    expect(queue.overdue(RUN_TIME_MAX_MS)).toEqual([]);
    expect(queue.overdue(RUN_TIME_MAX_MS + 1)).toEqual([{ id, path: '/bin/notify', pid: 4711 }]);
    expect(queue.overdue(RUN_TIME_MAX_MS + 2)).toEqual([]);
    expect(queue.ended(id, killed, RUN_TIME_MAX_MS + 3)).toBe('again');
  });

  it('shows what runs and what waits', () => {
    const { queue, id } = started();
    queue.hasPid(id, 7);
    queue.add('/later', [], 10);
    expect(queue.view(30)).toEqual([
      { argv: ['/bin/notify', '+sdown', 'master m'], running: true, pid: 7, time_ms: 30, attempts: 1 },
      { argv: ['/later'], running: false, pid: 0, time_ms: 0, attempts: 0 },
    ]);
  });
});
