import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RoleNotes } from './role-notes.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function open() {
  const told: string[] = [];
  const notes = new RoleNotes(({ text }) => told.push(text));
  const go = (path: string): void => {
    const [from = '', state = ''] = path.split(' ');
    notes.became(state as 'replica', from as 'replica', { what: 'role', text: path });
  };
  return { told, notes, go };
}

it('says nothing of a replica that changes its master', () => {
  const { told, go } = open();
  go('replica quarantined');
  go('quarantined replica');
  vi.runAllTimers();
  expect(told).toEqual([]);
});

it('tells what lasts, what goes on otherwise, and what came before', () => {
  const { told, notes, go } = open();
  go('replica quarantined');
  vi.runAllTimers();
  expect(told).toEqual(['replica quarantined']);
  go('quarantined replica');
  go('replica quarantined');
  go('quarantined failed');
  go('failed quarantined');
  expect(told.slice(1)).toEqual([
    'quarantined replica',
    'replica quarantined',
    'quarantined failed',
    'failed quarantined',
  ]);
  go('quarantined replica');
  go('replica quarantined');
  notes.stop();
  expect(told.slice(5)).toEqual(['quarantined replica', 'replica quarantined']);
});
