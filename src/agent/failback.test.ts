import { expect, it } from 'vitest';
import { FailbackWatch } from './failback.js';

const well = { leads: true, preferred: false, obstacle: null, paused: false };

it('waits until the preferred host has been well without a break', () => {
  const watch = new FailbackWatch({ when: 'after', wait_ms: 10_000 }, 'a');
  expect(watch.look(0, well)).toEqual({ do: 'tell', text: 'failback to a in 10 s' });
  expect(watch.look(9_000, { ...well, obstacle: 'lags 5 MB' })).toEqual({ do: 'nothing' });
  expect(watch.look(9_500, well)).toEqual({ do: 'tell', text: 'failback to a in 10 s' });
  expect(watch.look(19_499, well).do).toBe('tell');
  expect(watch.look(19_500, well)).toEqual({ do: 'switch-over' });
  // It did not come about: not asked for again at once.
  expect(watch.look(19_501, well).do).toBe('tell');
});

it('never acts unless told to, nor while paused, nor from a host that does not lead', () => {
  expect(new FailbackWatch({ when: 'never' }, 'a').look(1e9, well)).toEqual({ do: 'nothing' });
  const manual = new FailbackWatch({ when: 'manual' }, 'a');
  expect(manual.look(0, well).do).toBe('tell');
  expect(manual.look(1e9, well).do).toBe('tell');
  const after = new FailbackWatch({ when: 'after', wait_ms: 0 }, 'a');
  expect(after.look(0, { ...well, paused: true })).toEqual({ do: 'nothing' });
  expect(after.look(0, { ...well, leads: false })).toEqual({ do: 'nothing' });
  expect(after.look(0, { ...well, preferred: true })).toEqual({ do: 'nothing' });
});
