import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Prng } from '../../base/prng.js';
import { HookSchedule } from './schedule.pure.js';

const rules = { attemptsMax: 3, pause_ms: 100, pauseMax_ms: 1_000 };
const schedule = () => new HookSchedule<string>(rules, new Prng(1));

describe('the schedule of a hook', () => {
  it('runs a level once, however often it is told', () => {
    const hook = schedule();
    hook.want('g', 'master', 'master', 0);
    expect(hook.next(0)).toMatchObject({ key: 'g', value: 'master', attempt: 1 });
    expect(hook.finished(true, 5)).toBe('done');
    hook.want('g', 'master', 'master', 6);
    expect([hook.next(1e9), hook.nextDue(), hook.waiting]).toEqual([null, null, 0]);
  });

  it('runs one at a time, and only the newest of what came meanwhile', () => {
    const hook = schedule();
    hook.want('g', 'a', 'a', 0);
    hook.next(0);
    for (const level of ['b', 'c', 'd']) hook.want('g', level, level, 1);
    expect(hook.next(1)).toBeNull();
    expect(hook.finished(true, 2)).toBe('superseded');
    expect(hook.next(2)).toMatchObject({ value: 'd' });
    expect(hook.coalesced).toBe(2);
  });

  it('runs nothing when a level came and went before its turn', () => {
    const hook = schedule();
    hook.want('g', 'a', 'a', 0);
    hook.next(0);
    hook.finished(true, 1);
    hook.want('h', 'x', 'x', 1);
    hook.next(1);
    hook.want('g', 'b', 'b', 2);
    hook.want('g', 'a', 'a', 3);
    hook.finished(true, 4);
    expect(hook.next(1e9)).toBeNull();
  });

  it('runs a level again after a run for another one that may have done half its work', () => {
    const hook = schedule();
    hook.want('g', 'a', 'a', 0);
    hook.next(0);
    hook.finished(true, 1);
    hook.want('g', 'b', 'b', 2);
    hook.next(2);
    hook.want('g', 'a', 'a', 3);
    expect(hook.finished(false, 4)).toBe('superseded');
    expect(hook.next(4)).toMatchObject({ value: 'a', attempt: 1 });
  });

  it('repeats what failed, later each time, up to a limit; a new level starts afresh', () => {
    const hook = schedule();
    hook.want('g', 'a', 'a', 0);
    const pauses: number[] = [];
    let now = 0;
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      expect(hook.next(now)).toMatchObject({ attempt });
      const after = hook.finished(false, now);
      expect(after).toBe(attempt < 3 ? 'again' : 'gave-up');
      const due = hook.nextDue();
      if (due !== null) {
        expect(hook.next(due - 1)).toBeNull();
        pauses.push(due - now);
        now = due;
      }
    }
    expect(pauses[0]).toBeGreaterThanOrEqual(50);
    expect(pauses[0]).toBeLessThanOrEqual(101);
    expect(pauses[1]).toBeGreaterThanOrEqual(100);
    expect(hook.next(1e9)).toBeNull();
    hook.want('g', 'b', 'b', now);
    expect(hook.next(now)).toMatchObject({ value: 'b', attempt: 1 });
  });

  it('repeats nothing once it is closed, but runs what has not run', () => {
    const hook = schedule();
    hook.want('g', 'a', 'a', 0);
    hook.next(0);
    hook.finished(false, 0);
    hook.want('h', 'b', 'b', 1);
    hook.close();
    expect(hook.next(1e9)).toMatchObject({ value: 'b' });
    expect(hook.finished(false, 2)).toBe('gave-up');
    expect(hook.next(1e9)).toBeNull();
  });

  it('has always told the newest level in the end, unless it gave up on it', () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('want' as const),
        key: fc.constantFrom('g', 'h'),
        level: fc.constantFrom('a', 'b', 'c'),
      }),
      fc.record({ do: fc.constant('run' as const), ok: fc.boolean() }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 500 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const hook = schedule();
        const wanted = new Map<string, string>();
        const told = new Map<string, string>();
        let now = 0;
        let running: string | null = null;
        let isRunning = false;
        const toggle = (ok: boolean) => {
          if (isRunning) {
            if (running !== null && hook.finished(ok, now) === 'gave-up') told.set(running, `gave up`);
            isRunning = false;
            return;
          }
          const run = hook.next(now);
          if (run === null) return;
          isRunning = true;
          running = run.key;
          expect(run.value).toBe(wanted.get(run.key));
          told.set(run.key, run.value);
        };
        for (const each of steps) {
          if (each.do === 'wait') now += each.ms;
          else if (each.do === 'run') toggle(each.ok);
          else {
            wanted.set(each.key, each.level);
            hook.want(each.key, each.level, each.level, now);
          }
        }
        for (let n = 0; n < 20; n += 1) {
          toggle(true);
          now += 10_000;
        }
        for (const [key, level] of wanted) expect([level, 'gave up']).toContain(told.get(key));
        expect(hook.waiting).toBe(0);
      }),
    );
  });
});
